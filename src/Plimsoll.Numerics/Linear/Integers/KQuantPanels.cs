using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>Q4_K and Q5_K: value = d · s · code − dmin · m, with 6-bit s and m per 32.</summary>
internal sealed unsafe class SixBitScalePanels<TLayout>(string format) : IntegerPanels<TLayout>(format, 0..HeaderBytes)
    where TLayout : struct, ICodeLayout
{
    private const int HeaderBytes = 16;
    private const int FifthBitBytes = 32;

    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        var hasFifthBit = TLayout.HighBits > 0;
        Nibbles.UnpackPairs(block[(HeaderBytes + (hasFifthBit ? FifthBitBytes : 0))..], 32, codes);
        if (hasFifthBit)
            BitPlanes.Add(block.Slice(HeaderBytes, FifthBitBytes), plane: 4, codes);
    }

    /// <summary>The layout of <see cref="Blocks.KQuants.SixBitScales"/>, for 16 rows at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        var d = stackalloc float[2 * Panel.Rows];
        RowScales.Halves(bytes, d);
        RowScales.Halves(bytes + 2 * Panel.Rows, d + Panel.Rows);
        var packed = bytes + 4 * Panel.Rows;
        for (var j = 0; j < 4; j++)
        {
            var first = Vector128.Load(packed + j * Panel.Rows);
            var second = Vector128.Load(packed + (j + 4) * Panel.Rows);
            var third = Vector128.Load(packed + (j + 8) * Panel.Rows);
            RowScales.Unsigned(first & Vector128.Create((byte)63), d, scales + j * Panel.Rows);
            RowScales.Unsigned(second & Vector128.Create((byte)63), d + Panel.Rows, minimums + j * Panel.Rows);
            var upperScale = Vector128.ShiftLeft(Vector128.ShiftRightLogical(first, 6), 4);
            var upperMinimum = Vector128.ShiftLeft(Vector128.ShiftRightLogical(second, 6), 4);
            RowScales.Unsigned(third & Vector128.Create((byte)15) | upperScale, d, scales + (j + 4) * Panel.Rows);
            RowScales.Unsigned(Vector128.ShiftRightLogical(third, 4) | upperMinimum, d + Panel.Rows, minimums + (j + 4) * Panel.Rows);
        }
    }
}

/// <summary>Q6_K: value = d · s · (code − 32), with a signed byte s per 16.</summary>
internal sealed unsafe class Q6KPanels() : IntegerPanels<SixBitsBy16>("Q6_K", 192..210)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        Nibbles.UnpackPairs(block[..128], 64, codes);
        BitPlanes.AddPairs(block[128..192], plane: 4, codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        var d = stackalloc float[Panel.Rows];
        RowScales.Halves(bytes + 16 * Panel.Rows, d);
        for (var j = 0; j < 16; j++)
            RowScales.Signed(Vector128.Load((sbyte*)bytes + j * Panel.Rows), d, scales + j * Panel.Rows);
    }
}

/// <summary>Q3_K: value = d · (s − 32) · (code − 4), with a 6-bit s per 16.</summary>
internal sealed unsafe class Q3KPanels() : IntegerPanels<ThreeBitsBy16>("Q3_K", 96..110)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        codes.Clear();
        BitPlanes.AddPairs(block[32..96], plane: 0, codes);
        BitPlanes.Add(block[..32], plane: 2, codes);
    }

    /// <summary>Of the 12 bytes, the first eight hold the low four bits of s, two to a byte; the others the upper two, four to a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        var d = stackalloc float[Panel.Rows];
        RowScales.Halves(bytes + 12 * Panel.Rows, d);
        for (var j = 0; j < 16; j++)
        {
            var low = Vector128.ShiftRightLogical(Vector128.Load(bytes + j % 8 * Panel.Rows), j / 8 * 4) & Vector128.Create((byte)15);
            var high = Vector128.ShiftRightLogical(Vector128.Load(bytes + (8 + j % 4) * Panel.Rows), j / 4 * 2) & Vector128.Create((byte)3);
            var scale = (low | Vector128.ShiftLeft(high, 4)).AsSByte() - Vector128.Create((sbyte)32);
            RowScales.Signed(scale, d, scales + j * Panel.Rows);
        }
    }
}

/// <summary>Q2_K: value = d · s · code − dmin · m, with 4-bit s and m per 16.</summary>
internal sealed unsafe class Q2KPanels() : IntegerPanels<TwoBitsBy16>("Q2_K", 0..16, 80..84)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        codes.Clear();
        BitPlanes.AddPairs(block[16..80], plane: 0, codes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        var d = stackalloc float[2 * Panel.Rows];
        RowScales.Halves(bytes + 16 * Panel.Rows, d);
        RowScales.Halves(bytes + 18 * Panel.Rows, d + Panel.Rows);
        for (var j = 0; j < 16; j++)
        {
            var both = Vector128.Load(bytes + j * Panel.Rows);
            RowScales.Unsigned(both & Vector128.Create((byte)15), d, scales + j * Panel.Rows);
            RowScales.Unsigned(Vector128.ShiftRightLogical(both, 4), d + Panel.Rows, minimums + j * Panel.Rows);
        }
    }
}
