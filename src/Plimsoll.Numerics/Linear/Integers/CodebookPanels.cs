using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>IQ4_NL: value = d · table[code].</summary>
internal sealed unsafe class Iq4NlPanels() : IntegerPanels<Iq4By32>("IQ4_NL", 0..2)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => FourBits.Unpack(block[2..], codes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        for (var block = 0; block < blocks; block++)
            RowScales.Halves(bytes + block * 2 * Panel.Rows, scales + block * Panel.Rows);
    }
}

/// <summary>IQ4_XS: value = d · (s − 32) · table[code], with a 6-bit s per 32.</summary>
internal sealed unsafe class Iq4XsPanels() : IntegerPanels<Iq4By32>("IQ4_XS", 0..8)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => Nibbles.UnpackPairs(block[8..], 16, codes);

    /// <summary>After d, two bytes hold the upper two bits of each s, then four bytes the low four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        var d = stackalloc float[Panel.Rows];
        RowScales.Halves(bytes, d);
        for (var j = 0; j < 8; j++)
        {
            var high = Vector128.ShiftRightLogical(Vector128.Load(bytes + (2 + j / 4) * Panel.Rows), j % 4 * 2) & Vector128.Create((byte)3);
            var low = Vector128.ShiftRightLogical(Vector128.Load(bytes + (4 + j / 2) * Panel.Rows), j % 2 * 4) & Vector128.Create((byte)15);
            RowScales.Signed((low | Vector128.ShiftLeft(high, 4)).AsSByte() - Vector128.Create((sbyte)32), d, scales + j * Panel.Rows);
        }
    }
}

/// <summary>MXFP4: value = 2^(e − 127) · E2M1[code].</summary>
internal sealed unsafe class Mxfp4Panels() : IntegerPanels<E2M1By32>("MXFP4", 0..1)
{
    /// <summary>Half of 2^(e − 127), by code: 2^(e − 128), subnormal at the bottom.</summary>
    private static readonly float[] HalfPowers = [.. Enumerable.Range(0, 256).Select(code => MathF.ScaleB(1, code - 128))];

    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => FourBits.Unpack(block[1..], codes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        for (var i = 0; i < blocks * Panel.Rows; i++)
            scales[i] = HalfPowers[bytes[i]];
    }
}

/// <summary>NVFP4 in ggml's layout: value = E4M3 scale per 16 · E2M1[code].</summary>
internal sealed unsafe class Nvfp4Panels() : IntegerPanels<E2M1By16>("NVFP4_GGML", 0..4)
{
    private static readonly float[] HalfValues =
        [.. Enumerable.Range(0, 256).Select(code => Blocks.Microscaling.UnsignedE4M3.HalfValue((byte)code))];

    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => Nibbles.UnpackPairs(block[4..], 8, codes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        for (var i = 0; i < blocks * 4 * Panel.Rows; i++)
            scales[i] = HalfValues[bytes[i]];
    }
}
