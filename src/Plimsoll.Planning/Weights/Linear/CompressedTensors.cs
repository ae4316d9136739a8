using Plimsoll.Numerics;
using static Plimsoll.Planning.Weights.Linear.LinearMethod;

namespace Plimsoll.Planning.Weights.Linear;

/// <summary>Integer checkpoints of llm-compressor (<c>quant_method: compressed-tensors</c>).</summary>
internal static class CompressedTensors
{
    /// <summary>Weights packed, activations in 16 bits.</summary>
    /// <param name="bits">Bits per weight, 2 to 8.</param>
    /// <param name="group">Input features that share a scale; −1 for one per output row.</param>
    /// <param name="asymmetric">Zero points are stored.</param>
    /// <remarks>
    /// weight_packed (o, ⌈i·bits/32⌉) I32, weight_scale (o, ⌈i/g⌉) 16-bit, weight_shape (2) I64, asymmetric: weight_zero_point (⌈o·bits/32⌉, ⌈i/g⌉) I32.
    /// Source: compressed-tensors, pack-quantized compressor.
    /// </remarks>
    public static LinearMethod WeightOnly(int bits, int group, bool asymmetric) => new()
    {
        Name = NameOf(bits, group, asymmetric),
        Summary = $"compressed-tensors, {bits}-bit integers, {(group < 0 ? "a scale per output row" : $"a scale per {group} inputs")}{(asymmetric ? " with zero points" : "")}; embeddings, norms, router and head in 16 bits",
        Codes = PlainScheme.Integer(bits),
        BytesOfLayer = (outputs, inputs) =>
        {
            var groups = group < 0 ? 1 : Units(inputs, group);
            var zeroPoints = asymmetric ? Units(outputs * bits, 32) * 4 * groups : 0;
            return checked(Units(inputs * bits, 32) * 4 * outputs + groups * outputs * 2 + 16 + zeroPoints);
        },
    };

    /// <summary>The name as typed. One scale per row is the usual thing for 8 bits and is stated for fewer.</summary>
    public static string NameOf(int bits, int group, bool asymmetric) =>
        $"ct:w{bits}a16{(group < 0 && bits == 8 ? "" : $"-g{group}")}{(asymmetric ? "-asym" : "")}";

    /// <summary>8-bit weights and activations: a byte per weight and an FP32 scale per output row, as vLLM keeps it.</summary>
    public static LinearMethod W8A8 => new()
    {
        Name = "ct:w8a8",
        Summary = "compressed-tensors INT8 weights and activations, a scale per output row; embeddings, norms, router and head in 16 bits",
        Codes = NumberFormats.Int8,
        BytesOfLayer = (outputs, inputs) => checked(outputs * inputs + outputs * 4),
    };
}
