using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.NonLinear;

/// <summary>IQ4_XS: 256 codes of the non-linear levels under an FP16 scale and a signed 6-bit scale for each 32.</summary>
/// <remarks>The two high bits of the scales come first, in 16 bits, then the low four in nibbles, then the codes of each 32 as in IQ4_NL.</remarks>
internal sealed unsafe class IQ4_XS<T> : BlockCodec, IBlockGrid where T : unmanaged, ICodeLanes<T>
{
    private const int Length = 256;
    private const int SubLength = NonLinearSearch.Length;
    private const int SubBlocks = Length / SubLength;
    private const int HighBitsAt = 2;
    private const int LowBitsAt = 4;
    private const int CodesAt = 8;
    private const int BlockBytes = CodesAt + Length / 2;

    /// <summary>Scale codes go from −32 to 31.</summary>
    private const int HalfScales = 32;

    public override NumberFormat Format { get; } = NumberFormats.Find("IQ4_XS")!;

    int IBlockGrid.SubLength => SubLength;

    ReadOnlySpan<float> IBlockGrid.Levels => NonLinearLevels.Floats;

    void IBlockGrid.ReadGrid(ReadOnlySpan<byte> block, Span<float> scales, Span<float> offsets)
    {
        for (var j = 0; j < SubBlocks; j++)
            scales[j] = ScaleOf(block, j);
        offsets.Clear();
    }

    void IBlockGrid.WriteCodes(ReadOnlySpan<byte> codes, Span<byte> block) => Nibbles.PackPairs(codes, SubLength / 2, block[CodesAt..]);

    [SkipLocalsInit]
    protected override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        var w = stackalloc float[SubLength];
        Span<float> scales = stackalloc float[SubBlocks];
        fixed (float* source = values)
        fixed (float* columns = importance)
        {
            for (var start = 0; start < values.Length; start += Length, blocks = blocks[BlockBytes..])
            {
                var variance = NonLinearSearch.Variance(values.Slice(start, Length));
                for (var j = 0; j < SubBlocks; j++)
                {
                    var first = start + j * SubLength;
                    NonLinearSearch.Weights<T>(source + first, columns == null ? null : columns + first % rowLength, variance, w);
                    scales[j] = NonLinearSearch.Run<T>(source + first, w);
                }
                Write(source + start, columns == null ? null : columns + start % rowLength, scales, search, blocks[..BlockBytes]);
            }
        }
    }

    /// <summary>Rounds the scales to six bits, or in best mode takes of the 64 scales the best, and rounds the weights to levels under them.</summary>
    private static void Write(float* x, float* importance, ReadOnlySpan<float> scales, BlockSearch search, Span<byte> block)
    {
        var stored = stackalloc float[2 * HalfScales];
        var codes = stackalloc byte[SubLength];
        var largest = 0f;
        foreach (var scale in scales)
        {
            if (MathF.Abs(scale) > MathF.Abs(largest))
                largest = scale;
        }
        var d = -largest / HalfScales;
        var inverse = d != 0 ? 1 / d : 0;
        BinaryPrimitives.WriteUInt16LittleEndian(block, Fp16.FromSingle(d));
        block[LowBitsAt..CodesAt].Clear();
        if (search == BlockSearch.Best)
        {
            d = Fp16.ToSingle(Fp16.FromSingle(d));
            for (var code = -HalfScales; code < HalfScales; code++)
                stored[code + HalfScales] = d * code;
        }
        var highBits = 0;
        for (var j = 0; j < SubBlocks; j++)
        {
            var code = search == BlockSearch.Best
                ? NonLinearGrid.Best<T>(x + j * SubLength, importance == null ? null : importance + j * SubLength, stored, 2 * HalfScales) - HalfScales
                : Math.Clamp(Rounding.NearestInt(inverse * scales[j]), -HalfScales, HalfScales - 1);
            NonLinearSearch.Codes<T>(x + j * SubLength, d * code, codes);
            Nibbles.PackPairs(new(codes, SubLength), SubLength / 2, block.Slice(CodesAt + j * SubLength / 2, SubLength / 2));
            code += HalfScales;
            block[LowBitsAt + j / 2] |= (byte)((code & 15) << j % 2 * 4);
            highBits |= code >> 4 << 2 * j;
        }
        BinaryPrimitives.WriteUInt16LittleEndian(block[HighBitsAt..], (ushort)highBits);
    }

    protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[BlockBytes..])
        {
            for (var j = 0; j < SubBlocks; j++)
                NonLinearSearch.Decode<T>(blocks.Slice(CodesAt + j * SubLength / 2, SubLength / 2), ScaleOf(blocks, j), values.Slice(j * SubLength, SubLength));
        }
    }

    /// <summary>The scale of sub-block <paramref name="j"/> as it is stored.</summary>
    private static float ScaleOf(ReadOnlySpan<byte> block, int j)
    {
        var highBits = BinaryPrimitives.ReadUInt16LittleEndian(block[HighBitsAt..]);
        var code = (block[LowBitsAt + j / 2] >> j % 2 * 4 & 15 | (highBits >> 2 * j & 3) << 4) - HalfScales;
        return Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block)) * code;
    }
}
