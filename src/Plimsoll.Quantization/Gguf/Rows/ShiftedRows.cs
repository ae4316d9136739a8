namespace Plimsoll.Quantization.Gguf.Rows;

/// <summary>Another tensor with a number added to each element: Gemma multiplies by 1 + weight, llama.cpp by the weight.</summary>
internal sealed class ShiftedRows(TensorRows source, float addend) : TensorRows(source.Dimensions)
{
    public override void Read(long firstRow, Span<float> values)
    {
        source.Read(firstRow, values);
        foreach (ref var value in values)
            value += addend;
    }
}
