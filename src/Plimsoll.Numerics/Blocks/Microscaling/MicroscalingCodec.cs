using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.Microscaling;

/// <summary>A format of E2M1 codes in groups, each under a scale of one byte: the scales of a block first, then its nibbles.</summary>
/// <param name="groupLength">Elements under one scale, the first half of them in the low nibbles.</param>
/// <remarks>
/// ggml derives the scale from the largest magnitude of the group alone. The best mode tries the codes around it and keeps, of every group, the one with
/// the smallest Σ importance · e².
/// </remarks>
internal abstract class MicroscalingCodec<T>(NumberFormat format, int groupLength) : BlockCodec where T : unmanaged, ILanes<T>
{
    private readonly int scaleBytes = format.BlockLength / groupLength;

    public sealed override NumberFormat Format => format;

    public sealed override ImportanceUse Importance => ImportanceUse.Ignored;

    /// <summary>The code of ggml for the largest magnitude of a group.</summary>
    protected abstract byte ScaleCode(float magnitude);

    /// <summary>Half of the scale, since the E2M1 values are doubled.</summary>
    protected abstract float HalfScale(byte code);

    /// <summary>The scale codes that are tried, as differences from that of ggml.</summary>
    protected abstract (int Lowest, int Highest) SearchedCodes { get; }

    /// <summary>The largest code of a finite scale.</summary>
    protected abstract byte LargestCode { get; }

    [SkipLocalsInit]
    protected sealed override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        Span<float> weights = stackalloc float[groupLength];
        weights.Fill(1);
        Span<byte> codes = stackalloc byte[format.BlockLength];
        for (var start = 0; start < values.Length; start += format.BlockLength, blocks = blocks[format.BlockBytes..])
        {
            for (var g = 0; g < scaleBytes; g++)
            {
                var first = start + g * groupLength;
                var group = values.Slice(first, groupLength);
                blocks[g] = ScaleCode(BlockRange.Magnitude<T>(group));
                if (search == BlockSearch.Best)
                    blocks[g] = Search(group, importance.IsEmpty ? weights : importance.Slice(first % rowLength, groupLength), blocks[g]);
                E2M1Codes.Encode<T>(group, HalfScale(blocks[g]), codes.Slice(g * groupLength, groupLength));
            }
            Nibbles.PackPairs(codes, groupLength / 2, blocks[scaleBytes..format.BlockBytes]);
        }
    }

    [SkipLocalsInit]
    protected sealed override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[format.BlockLength];
        for (; !values.IsEmpty; values = values[format.BlockLength..], blocks = blocks[format.BlockBytes..])
        {
            Nibbles.UnpackPairs(blocks[scaleBytes..format.BlockBytes], groupLength / 2, codes);
            for (var g = 0; g < scaleBytes; g++)
                E2M1Codes.Decode(codes.Slice(g * groupLength, groupLength), HalfScale(blocks[g]), values.Slice(g * groupLength, groupLength));
        }
    }

    /// <summary>The scale code of least error, the one that is there of equal ones.</summary>
    private byte Search(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, byte code)
    {
        var best = code;
        var least = E2M1Codes.Error<T>(values, weights, HalfScale(code));
        for (var candidate = Math.Max(0, code + SearchedCodes.Lowest); candidate <= Math.Min(LargestCode, code + SearchedCodes.Highest); candidate++)
        {
            var error = E2M1Codes.Error<T>(values, weights, HalfScale((byte)candidate));
            if (error < least)
                (best, least) = ((byte)candidate, error);
        }
        return best;
    }
}
