using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>Four-bit codes that stand for signed bytes of a table.</summary>
internal abstract unsafe class CodebookPanels(string format, TileShape shape, Vector128<sbyte> table, params Range[] scaleBytes)
    : IntegerPanels(NumberFormats.Find(format)!, shape, CodePlanes.Nibbles, scaleBytes)
{
    /// <summary>kvalues_iq4nl of ggml-common.h.</summary>
    public static Vector128<sbyte> Iq4Nl => Vector128.Create(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

    /// <summary>The E2M1 values, doubled so that they are integers; the scales are halved.</summary>
    public static Vector128<sbyte> DoubledE2M1 => Vector128.Create(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

    protected override void UnpackCodes(byte* source, int groups, byte* codes) => CodePlanesOperations.UnpackNibbles(source, groups, table, codes);
}

/// <summary>IQ4_NL: value = d · table[code].</summary>
internal sealed unsafe class Iq4NlPanels() : CodebookPanels("IQ4_NL", TileShape.SignedBy32, Iq4Nl, 0..2)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => FourBits.Unpack(block[2..], codes);

    protected override void UnpackScales(byte* bytes, float* scales, float* minimums) => RowScales.Halves(bytes, scales);
}

/// <summary>IQ4_XS: value = d · (s − 32) · table[code], with a 6-bit s per 32.</summary>
internal sealed unsafe class Iq4XsPanels() : CodebookPanels("IQ4_XS", TileShape.SignedBy32, Iq4Nl, 0..8)
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => Nibbles.UnpackPairs(block[8..], 16, codes);

    /// <summary>After d, two bytes hold the upper two bits of each s, then four bytes the low four.</summary>
    protected override void UnpackScales(byte* bytes, float* scales, float* minimums)
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
internal sealed unsafe class Mxfp4Panels() : CodebookPanels("MXFP4", TileShape.SignedBy32, DoubledE2M1, 0..1)
{
    /// <summary>Half of 2^(e − 127), by code: 2^(e − 128), subnormal at the bottom.</summary>
    private static readonly float[] HalfPowers = [.. Enumerable.Range(0, 256).Select(code => MathF.ScaleB(1, code - 128))];

    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => FourBits.Unpack(block[1..], codes);

    protected override void UnpackScales(byte* bytes, float* scales, float* minimums)
    {
        for (var row = 0; row < Panel.Rows; row++)
            scales[row] = HalfPowers[bytes[row]];
    }
}

/// <summary>NVFP4 in ggml's layout: value = E4M3 scale per 16 · E2M1[code].</summary>
internal sealed unsafe class Nvfp4Panels() : CodebookPanels("NVFP4_GGML", TileShape.SignedBy16, DoubledE2M1, 0..4)
{
    private static readonly float[] HalfValues =
        [.. Enumerable.Range(0, 256).Select(code => Blocks.Microscaling.UnsignedE4M3.HalfValue((byte)code))];

    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => Nibbles.UnpackPairs(block[4..], 8, codes);

    protected override void UnpackScales(byte* bytes, float* scales, float* minimums)
    {
        for (var i = 0; i < 4 * Panel.Rows; i++)
            scales[i] = HalfValues[bytes[i]];
    }
}
