using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>A format of 32 elements with their own FP16 scale, and perhaps minimum, which the range of the block decides.</summary>
internal abstract class LegacyCodec<T>(string name) : BlockCodec where T : unmanaged, ILanes<T>
{
    protected const int Length = 32;

    /// <summary>Blocks whose scales are computed together.</summary>
    protected const int Batch = 16;

    public sealed override NumberFormat Format { get; } = NumberFormats.Find(name)!;

    /// <summary>Encodes at most <see cref="Batch"/> blocks by their ranges, elements side by side in lanes.</summary>
    protected abstract void EncodePlain(ReadOnlySpan<float> values, Span<byte> blocks);

    protected override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        while (!values.IsEmpty)
        {
            var count = Math.Min(values.Length, Batch * Length);
            var bytes = count / Length * Format.BlockBytes;
            EncodePlain(values[..count], blocks[..bytes]);
            values = values[count..];
            blocks = blocks[bytes..];
        }
    }

    /// <summary>1 / scale, and 0 for 0.</summary>
    /// <param name="scales">(<see cref="Batch"/>).</param>
    protected static void Inverses(ReadOnlySpan<float> scales, Span<float> inverses)
    {
        var source = MemoryMarshal.Cast<float, T>(scales);
        var target = MemoryMarshal.Cast<float, T>(inverses);
        var zero = T.Create(0);
        for (var i = 0; i < source.Length; i++)
            target[i] = T.Select(T.Equal(source[i], zero), zero, T.Create(1) / source[i]);
    }
}
