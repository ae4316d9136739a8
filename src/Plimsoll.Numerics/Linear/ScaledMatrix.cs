namespace Plimsoll.Numerics.Linear;

/// <summary>A matrix all of whose weights have one more factor, the scale of the tensor in NVFP4: outputs are multiplied by it.</summary>
public sealed class ScaledMatrix(PackedMatrix inner, float factor) : PackedMatrix
{
    public override int Rows => inner.Rows;

    public override int Columns => inner.Columns;

    public override long Bytes => inner.Bytes;

    public override void Multiply(ReadOnlySpan<float> inputs, int count, Span<float> outputs, ComputePool pool)
    {
        inner.Multiply(inputs, count, outputs, pool);
        Scale(outputs);
    }

    public override void ReadRow(int row, Span<float> values)
    {
        inner.ReadRow(row, values);
        Scale(values);
    }

    public override void Dispose()
    {
        inner.Dispose();
        base.Dispose();
    }

    private void Scale(Span<float> values)
    {
        foreach (ref var value in values)
            value *= factor;
    }
}
