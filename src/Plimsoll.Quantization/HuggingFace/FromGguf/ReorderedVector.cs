using System.Buffers;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Quantization.HuggingFace.FromGguf;

/// <summary>A vector whose elements are in another order: the bias of a projection.</summary>
/// <param name="elementOf">From the number of an element here to that of the element it is.</param>
internal sealed class ReorderedVector(ParameterStorage storage, StoredWeight source, Func<long, long> elementOf) : StoredWeight(storage, source.Dimensions)
{
    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        var stored = ArrayPool<float>.Shared.Rent(values.Length);
        try
        {
            source.ReadRows(0, stored.AsSpan(0, values.Length));
            for (var at = 0; at < values.Length; at++)
                values[at] = stored[elementOf(at)];
        }
        finally
        {
            ArrayPool<float>.Shared.Return(stored);
        }
    }
}
