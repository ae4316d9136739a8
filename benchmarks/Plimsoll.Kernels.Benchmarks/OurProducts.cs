using Plimsoll.Numerics;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Kernels.Benchmarks;

/// <summary>The same products by this project.</summary>
internal sealed class OurProducts : IDisposable
{
    private readonly PackedMatrix[] matrices;
    private readonly ComputePool pool;
    private readonly Workload workload;

    public OurProducts(NumberFormat format, Workload workload, int threads)
    {
        this.workload = workload;
        pool = new ComputePool(threads);
        var rowBytes = (int)format.BytesFor(workload.Columns);
        matrices = new PackedMatrix[workload.Copies];
        for (var i = 0; i < matrices.Length; i++)
        {
            matrices[i] = PackedMatrices.Create(format, workload.Rows, workload.Columns,
                (row, bytes) => workload.Weights.AsSpan(row * rowBytes, bytes.Length).CopyTo(bytes));
        }
        Outputs = new float[workload.Count * workload.Rows];
    }

    public float[] Outputs { get; }

    public void Run()
    {
        foreach (var matrix in matrices)
            matrix.Multiply(workload.Inputs, workload.Count, Outputs, pool);
    }

    public void Dispose()
    {
        pool.Dispose();
        Array.ForEach(matrices, matrix => matrix.Dispose());
    }
}
