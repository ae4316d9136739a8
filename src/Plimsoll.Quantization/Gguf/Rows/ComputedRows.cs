using System.Collections.Immutable;

namespace Plimsoll.Quantization.Gguf.Rows;

/// <summary>A vector that is in no file: the factors of rotary frequencies.</summary>
internal sealed class ComputedRows(ImmutableArray<float> values) : TensorRows([values.Length])
{
    private readonly ImmutableArray<float> _values = values;

    public override void Read(long firstRow, Span<float> values) => _values.CopyTo(values);
}
