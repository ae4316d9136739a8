using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Weights;

/// <summary>A linear layer: y = x · Wᵀ + b.</summary>
/// <param name="Name">The weight as the checkpoint names it.</param>
/// <param name="Expert">Which matrix of a stacked tensor; 0 for any other.</param>
/// <param name="Bias">(rows), or null.</param>
internal sealed record Linear(string Name, PackedMatrix Matrix, float[]? Bias, int Expert = 0)
{
    /// <summary>(rows, columns); whoever exchanges it puts it back.</summary>
    public PackedMatrix Matrix { get; set; } = Matrix;

    /// <summary>Which row of the stored tensor each row is; null for the same order.</summary>
    public int[]? Order { get; init; }

    public int Rows => Matrix.Rows;

    public int Columns => Matrix.Columns;

    /// <param name="inputs">(count, columns).</param>
    /// <param name="outputs">(count, rows).</param>
    public void Apply(ReadOnlySpan<float> inputs, int count, Span<float> outputs, ComputePool pool, IInputObserver? observer)
    {
        inputs = inputs[..(count * Columns)];
        outputs = outputs[..(count * Rows)];
        observer?.Observe(Name, Expert, inputs, Columns);
        Matrix.Multiply(inputs, count, outputs, pool);
        if (Bias is null)
            return;
        for (var row = 0; row < count; row++)
            Vectors.Add(outputs.Slice(row * Rows, Rows), Bias);
    }
}

/// <param name="Weight">(width).</param>
/// <param name="Bias">(width), or null.</param>
internal sealed record NormWeights(float[] Weight, float[]? Bias);
