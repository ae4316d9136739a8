using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace.Layers.Integers;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

namespace Plimsoll.Quantization.Tests.HuggingFace.Rounding;

/// <summary>A layout of integers to round to, and the numbers that a rounder chose for it.</summary>
internal sealed class RoundedLayer
{
    private RoundedLayer(IntegerPacking packing, IntegerRounder rounder, float[] weights)
    {
        (Codes, Scales, Zeros) = (new byte[weights.Length], new float[packing.Rows * packing.Groups], new byte[packing.Rows * packing.Groups]);
        Decoded = new float[weights.Length];
        Packing = packing;
        var rows = new IntegerRows(packing.Columns, packing.GroupLength, Codes, Scales, Zeros);
        rounder.Round(weights, rows);
        rows.Decode(Decoded);
    }

    public IntegerPacking Packing { get; }

    public byte[] Codes { get; }

    public float[] Scales { get; }

    public byte[] Zeros { get; }

    public float[] Decoded { get; }

    /// <summary>Layouts by what distinguishes them: bits, group, and how codes are spread.</summary>
    public static TheoryData<string> Layouts => ["gptq:4bit-g128", "gptq:4bit-g32", "gptq:3bit-g64", "gptq:2bit-g32", "gptq:8bit-g128", "awq:4bit-g128", "ct:w4a16-g128", "ct:w4a16-g32-asym", "ct:w8a8", "bnb-int8"];

    public static RoundedLayer Create(string layout, float[] weights, int columns, Func<IntegerGrid, IntegerRounder> rounder)
    {
        var rows = weights.Length / columns;
        var (packing, range) = layout switch
        {
            "awq:4bit-g128" => ((IntegerPacking)new AwqPacking("layer", rows, columns, 128), IntegerRange.Asymmetric),
            "ct:w4a16-g128" => (new StreamPacking("layer", rows, columns, 4, 128, isSymmetric: true, NumberFormats.Bf16), IntegerRange.Symmetric),
            "ct:w4a16-g32-asym" => (new StreamPacking("layer", rows, columns, 4, 32, isSymmetric: false, NumberFormats.Bf16), IntegerRange.Asymmetric),
            "ct:w8a8" => (new IntQuantizedPacking("layer", rows, columns, NumberFormats.Bf16), IntegerRange.Symmetric),
            "bnb-int8" => (new LlmInt8Packing("layer", rows, columns), IntegerRange.Restricted),
            _ => (new GptqPacking("layer", rows, columns, layout[5] - '0', int.Parse(layout[(layout.IndexOf("-g", StringComparison.Ordinal) + 2)..]), isVersion2: false, isSymmetric: true), IntegerRange.Symmetric),
        };
        return new(packing, rounder(new(packing, range)), weights);
    }
}
