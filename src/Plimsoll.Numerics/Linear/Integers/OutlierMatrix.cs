using System.Buffers;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>LLM.int8(): columns in which any input reaches a threshold are multiplied as floats, the rest as integers.</summary>
/// <remarks>
/// As bitsandbytes decides it, an input makes its column an outlier for all vectors that are multiplied together. Source: bitsandbytes
/// backends/default/ops.py, int8_vectorwise_quant and int8_mixed_scaled_mm; the rest is rounded with a scale per 32 inputs, not one per vector.
/// </remarks>
internal sealed unsafe class OutlierMatrix(IntegerPanelMatrix inner, float threshold) : PackedMatrix
{
    public override int Rows => inner.Rows;

    public override int Columns => inner.Columns;

    public override long Bytes => inner.Bytes;

    public override void Multiply(ReadOnlySpan<float> inputs, int count, Span<float> outputs, ComputePool pool)
    {
        var outliers = Outliers(inputs);
        if (outliers.Length == 0)
        {
            inner.Multiply(inputs, count, outputs, pool);
            return;
        }
        var rest = ArrayPool<float>.Shared.Rent(inputs.Length);
        inputs.CopyTo(rest);
        foreach (var column in outliers)
        {
            for (var at = column; at < inputs.Length; at += Columns)
                rest[at] = 0;
        }
        inner.Multiply(rest.AsSpan(0, inputs.Length), count, outputs, pool);
        ArrayPool<float>.Shared.Return(rest);
        fixed (float* pinnedInputs = inputs)
        fixed (float* pinnedOutputs = outputs)
        {
            var (x, y) = ((nint)pinnedInputs, (nint)pinnedOutputs);
            pool.For(Panel.Count(Rows), grain: 4, (start, end) =>
            {
                for (var panel = start; panel < end; panel++)
                    AddOutliers(panel, outliers, (float*)x, count, (float*)y);
            });
        }
    }

    public override void ReadRow(int row, Span<float> values) => inner.ReadRow(row, values);

    public override void Dispose()
    {
        inner.Dispose();
        base.Dispose();
    }

    /// <summary>The columns with an input of the threshold or more, ascending.</summary>
    private int[] Outliers(ReadOnlySpan<float> inputs)
    {
        var found = new SortedSet<int>();
        for (var at = 0; at < inputs.Length; at++)
        {
            if (MathF.Abs(inputs[at]) >= threshold)
                found.Add(at % Columns);
        }
        return [.. found];
    }

    private void AddOutliers(int panel, int[] columns, float* inputs, int count, float* outputs)
    {
        var weights = stackalloc float[Panel.Rows];
        var (first, rows) = (panel * Panel.Rows, Math.Min(Panel.Rows, Rows - panel * Panel.Rows));
        foreach (var column in columns)
        {
            inner.ReadColumn(panel, column, weights);
            for (var vector = 0; vector < count; vector++)
            {
                var (input, target) = (inputs[(long)vector * Columns + column], (long)vector * Rows + first);
                for (var row = 0; row < rows; row++)
                    outputs[target + row] += input * weights[row];
            }
        }
    }
}
