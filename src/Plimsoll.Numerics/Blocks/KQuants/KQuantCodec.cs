using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>A format of super-blocks: 256 elements in sub-blocks, whose scales are themselves codes under an FP16 scale.</summary>
/// <remarks>
/// The encoder takes as many super-blocks at a time as there are lanes, one per lane, so that the search reads like its scalar form and nothing is ever
/// added across lanes. What remains (requantizing with the stored scales, packing) goes block by block, elements side by side.
/// </remarks>
internal abstract class KQuantCodec<T>(string name) : BlockCodec where T : unmanaged, ILanes<T>
{
    /// <summary>QK_K of ggml.</summary>
    public const int Length = 256;

    public sealed override NumberFormat Format { get; } = NumberFormats.Find(name)!;

    /// <summary>Encodes a super-block per lane.</summary>
    /// <param name="x">(256).</param>
    /// <param name="importance">(256); empty for none.</param>
    /// <param name="values">The same elements block after block; lanes behind them are empty.</param>
    protected abstract void EncodeBatch(ReadOnlySpan<T> x, ReadOnlySpan<T> importance, ReadOnlySpan<float> values, Span<byte> blocks, BlockSearch search);

    [SkipLocalsInit]
    protected sealed override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        Span<T> x = stackalloc T[Length];
        Span<T> w = stackalloc T[importance.IsEmpty ? 0 : Length];
        var batch = T.Count * Length;
        var column = -1;
        for (var start = 0; start < values.Length; start += batch)
        {
            var taken = values.Slice(start, Math.Min(batch, values.Length - start));
            Transposition.ToLanes(taken, x);
            if (!importance.IsEmpty && (column != start % rowLength || taken.Length < batch))
            {
                column = start % rowLength;
                Transposition.ToLanes(importance, column, taken.Length / Length, w);
            }
            EncodeBatch(x, w, taken, blocks.Slice((int)Format.BytesFor(start), (int)Format.BytesFor(taken.Length)), search);
        }
    }
}
