using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>value = d · (code − offset): Q4_0 and Q5_0.</summary>
internal sealed unsafe class CentredPanels<TPacking>(string format, TileShape shape, CodePlanes planes)
    : IntegerPanels(NumberFormats.Find(format)!, shape, planes, 0..2)
    where TPacking : struct, ICodePacking
{
    private static int Offset => 1 << (TPacking.Bits - 1);

    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => TPacking.Unpack(block[2..], codes);

    protected override void UnpackScales(byte* bytes, float* scales, float* minimums)
    {
        RowScales.Halves(bytes, scales);
        RowScales.Multiply(scales, Offset, minimums);
    }
}

/// <summary>value = d · code + m: Q4_1 and Q5_1.</summary>
internal sealed unsafe class AffinePanels<TPacking>(string format, TileShape shape, CodePlanes planes)
    : IntegerPanels(NumberFormats.Find(format)!, shape, planes, 0..4)
    where TPacking : struct, ICodePacking
{
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => TPacking.Unpack(block[4..], codes);

    protected override void UnpackScales(byte* bytes, float* scales, float* minimums)
    {
        RowScales.Halves(bytes, scales);
        RowScales.Halves(bytes + 2 * Panel.Rows, minimums);
        RowScales.Multiply(minimums, -1, minimums);
    }
}

/// <summary>Q8_0: the bytes of a chunk are the codes of its tile.</summary>
internal sealed unsafe class BytePanels() : IntegerPanels(NumberFormats.Q8_0, TileShape.SignedBy32, CodePlanes.Bytes, 0..2)
{
    protected override bool HasReadyCodes => true;

    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => block[2..].CopyTo(codes);

    protected override void UnpackScales(byte* bytes, float* scales, float* minimums) => RowScales.Halves(bytes, scales);
}

/// <summary>Q2_0 and TQ2_0: value = d · (code − 1), two bits a code; the scale meets each group of 32.</summary>
internal sealed unsafe class TwoBitPanels(string format, int scaleAt) :
    IntegerPanels(NumberFormats.Find(format)!, TileShape.FourBitsBy32, CodePlanes.Pairs, scaleAt..(scaleAt + 2))
{
    /// <summary>Four consecutive elements to a byte after the scale, or bits of elements 32 apart before it.</summary>
    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes)
    {
        if (scaleAt > 0)
        {
            codes.Clear();
            BitPlanes.AddPairs(block[..scaleAt], plane: 0, codes);
            return;
        }
        for (var j = 0; j < codes.Length; j++)
            codes[j] = (byte)(block[2 + j / 4] >> (j % 4 * 2) & 3);
    }

    protected override void UnpackScales(byte* bytes, float* scales, float* minimums)
    {
        for (var group = 0; group < Format.BlockLength / 32; group++)
        {
            RowScales.Halves(bytes, scales + group * Panel.Rows);
            RowScales.Halves(bytes, minimums + group * Panel.Rows);
        }
    }
}
