using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Search;

namespace Plimsoll.Numerics.Blocks.KQuants;

/// <summary>The K-quants with signed codes and a scale per sub-block of 16: x ≈ (d · scale) · (code − levels). Q3_K, Q6_K.</summary>
/// <param name="levels">Half the number of codes.</param>
/// <param name="scaleLevels">Half the number of codes of a scale.</param>
internal abstract class SignedScaleCodec<T>(string name, int levels, int scaleLevels) : KQuantCodec<T>(name), IBlockGrid where T : unmanaged, ILanes<T>
{
    protected const int SubLength = 16;
    protected const int SubBlocks = Length / SubLength;

    private readonly float[] values = EvenLevels.Create(-levels, 2 * levels);

    int IBlockGrid.SubLength => SubLength;

    ReadOnlySpan<float> IBlockGrid.Levels => values;

    void IBlockGrid.ReadGrid(ReadOnlySpan<byte> block, Span<float> scales, Span<float> offsets)
    {
        ReadScales(block, scales);
        offsets.Clear();
    }

    void IBlockGrid.WriteCodes(ReadOnlySpan<byte> codes, Span<byte> block) => Pack(codes, block);

    /// <summary>The scale of each sub-block as it is stored.</summary>
    protected abstract void ReadScales(ReadOnlySpan<byte> block, Span<float> scales);

    protected abstract void Pack(ReadOnlySpan<byte> codes, Span<byte> block);

    protected abstract void Unpack(ReadOnlySpan<byte> block, Span<byte> codes);

    /// <summary>Writes the codes under the scales as they are stored; those of the search where the stored scale is zero.</summary>
    /// <param name="searched">(256), a super-block per lane.</param>
    [SkipLocalsInit]
    protected void Requantize(ReadOnlySpan<float> values, ReadOnlySpan<T> searched, int lane, Span<byte> block)
    {
        Span<byte> codes = stackalloc byte[Length];
        Span<float> scales = stackalloc float[SubBlocks];
        ReadScales(block, scales);
        Elements<T>.CentredCodes(values, scales, levels, codes);
        for (var j = 0; j < SubBlocks; j++)
        {
            if (scales[j] == 0)
                LaneBytes.Read(searched.Slice(j * SubLength, SubLength), lane, codes.Slice(j * SubLength, SubLength));
        }
        Pack(codes, block);
    }

    [SkipLocalsInit]
    protected sealed override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<byte> codes = stackalloc byte[Length];
        Span<float> scales = stackalloc float[SubBlocks];
        for (var start = 0; start < values.Length; start += Length)
        {
            var block = blocks[..Format.BlockBytes];
            blocks = blocks[Format.BlockBytes..];
            ReadScales(block, scales);
            Unpack(block, codes);
            for (var j = 0; j < SubBlocks; j++)
                Elements<T>.Centred(codes.Slice(j * SubLength, SubLength), levels, scales[j], values.Slice(start + j * SubLength, SubLength));
        }
    }

    /// <summary>Moves the scale codes of sub-blocks to where the weighted error is smallest.</summary>
    /// <param name="offset">What is added to a scale code before it is stored.</param>
    [SkipLocalsInit]
    protected void Refine(ReadOnlySpan<T> x, ReadOnlySpan<T> importance, T scale, int offset, Span<T> scaleCodes)
    {
        Span<T> ones = stackalloc T[SubLength];
        ones.Fill(T.Create(1));
        for (var j = 0; j < SubBlocks; j++)
        {
            var range = new Range(j * SubLength, (j + 1) * SubLength);
            var code = scaleCodes[j] - T.Create(offset);
            SubBlockRefinement.Run(x[range], importance.IsEmpty ? ones : importance[range], scale, levels, -scaleLevels, scaleLevels - 1, ref code);
            scaleCodes[j] = code + T.Create(offset);
        }
    }
}
