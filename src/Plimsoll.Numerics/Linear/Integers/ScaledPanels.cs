using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>value = d · (code − offset): Q4_0 and Q5_0.</summary>
internal sealed unsafe class CentredPanels<TLayout, TPacking>(string format) : IntegerPanels<TLayout>(format, 0..2)
    where TLayout : struct, ICodeLayout
    where TPacking : struct, ICodePacking
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => TPacking.Unpack(block[2..], codes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        for (var block = 0; block < blocks; block++)
            RowScales.Halves(bytes + block * 2 * Panel.Rows, scales + block * Panel.Rows);
    }
}

/// <summary>value = d · code + m: Q4_1 and Q5_1.</summary>
internal sealed unsafe class AffinePanels<TLayout, TPacking>(string format) : IntegerPanels<TLayout>(format, 0..4)
    where TLayout : struct, ICodeLayout
    where TPacking : struct, ICodePacking
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => TPacking.Unpack(block[4..], codes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        for (var block = 0; block < blocks; block++)
        {
            var minimum = minimums + block * Panel.Rows;
            RowScales.Halves(bytes + block * 4 * Panel.Rows, scales + block * Panel.Rows);
            RowScales.Halves(bytes + (block * 4 + 2) * Panel.Rows, minimum);
            RowScales.Multiply(minimum, -1, minimum);
        }
    }
}

/// <summary>Q8_0: value = d · code.</summary>
internal sealed unsafe class Q8Panels() : IntegerPanels<BytesBy32>("Q8_0", 0..2)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => block[2..].CopyTo(codes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        for (var block = 0; block < blocks; block++)
            RowScales.Halves(bytes + block * 2 * Panel.Rows, scales + block * Panel.Rows);
    }
}

/// <summary>value = d · (factor · code − 1), where d is the scale of a longer block: Q1_0, Q2_0 and TQ2_0.</summary>
/// <param name="scaleAt">Where in the block d lies.</param>
/// <param name="factor">2 where a bit stands for ±d, 1 where two bits do for −d, 0, d, 2d.</param>
internal abstract unsafe class LowBitPanels<TLayout>(string format, int scaleAt, int factor) : IntegerPanels<TLayout>(format, scaleAt..(scaleAt + 2))
    where TLayout : struct, ICodeLayout
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        var groups = Format.BlockLength / 32;
        for (var group = 0; group < blocks * groups; group++)
        {
            RowScales.Halves(bytes + group / groups * 2 * Panel.Rows, scales + group * Panel.Rows);
            RowScales.Multiply(scales + group * Panel.Rows, factor, scales + group * Panel.Rows);
        }
    }
}

internal sealed class Q1Panels() : LowBitPanels<OneBitBy32>("Q1_0", scaleAt: 0, factor: 2)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        for (var j = 0; j < codes.Length; j++)
            codes[j] = (byte)(block[2 + j / 8] >> j % 8 & 1);
    }
}

internal sealed class Q2Panels() : LowBitPanels<TwoBitsBy32>("Q2_0", scaleAt: 0, factor: 1)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        for (var j = 0; j < codes.Length; j++)
            codes[j] = (byte)(block[2 + j / 4] >> (j % 4 * 2) & 3);
    }
}

internal sealed class Tq2Panels() : LowBitPanels<TwoBitsBy32>("TQ2_0", CodeBytes, factor: 1)
{
    private const int CodeBytes = 64;

    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        codes.Clear();
        BitPlanes.AddPairs(block[..CodeBytes], plane: 0, codes);
    }
}
