using Plimsoll.Numerics;
using static Plimsoll.Planning.Weights.Linear.LinearMethod;

namespace Plimsoll.Planning.Weights.Linear;

/// <summary>What bitsandbytes keeps for a converted layer.</summary>
internal static class BitsAndBytes
{
    private const string ExpertsNote =
        "bitsandbytes converts linear layers; transformers 5 keeps routed experts as one fused parameter, which stays in 16 bits. "
        + "Add +experts where every expert is converted: transformers 4, vLLM, Unsloth.";

    /// <summary>4-bit codes in blocks of 64 consecutive weights.</summary>
    /// <param name="type"><c>nf4</c> or <c>fp4</c>.</param>
    /// <param name="doubleQuant">The block scales are quantized themselves.</param>
    /// <param name="experts">Routed experts are converted as well.</param>
    /// <remarks>
    /// n/2 bytes of codes, an FP32 absmax per 64 weights, the 16-entry code table. Double quantization: a byte per 64 weights, an FP32 absmax per
    /// 256 of those, a 256-entry table and an offset. Source: bitsandbytes functional.py (quantize_4bit, QuantState).
    /// </remarks>
    public static LinearMethod FourBit(string type, bool doubleQuant, bool experts) => new()
    {
        Name = type + (doubleQuant ? "-dq" : "") + (experts ? "+experts" : ""),
        Summary = $"bitsandbytes {type.ToUpperInvariant()}, blocks of 64{(doubleQuant ? " with double-quantized scales" : "")}; embeddings, norms, router and head in 16 bits",
        Codes = type == "fp4" ? NumberFormats.BitsAndBytesFp4 : doubleQuant ? NumberFormats.Nf4DoubleQuantized : NumberFormats.Nf4,
        Scope = experts ? LinearScope.AllLinear : LinearScope.NoExperts,
        Note = experts ? null : ExpertsNote,
        BytesOfLayer = (outputs, inputs) =>
        {
            var weights = checked(outputs * inputs);
            var blocks = Units(weights, 64);
            return Units(weights, 2) + 16 * 4 + (doubleQuant ? blocks + Units(blocks, 256) * 4 + 256 * 4 + 4 : blocks * 4);
        },
    };

    /// <summary>LLM.int8(): a byte per weight and an FP32 row maximum.</summary>
    /// <remarks>Source: bitsandbytes Int8Params: weight I8 (o, i), SCB F32 (o).</remarks>
    public static LinearMethod EightBit(bool experts) => new()
    {
        Name = "bnb-int8" + (experts ? "+experts" : ""),
        Summary = "bitsandbytes LLM.int8(): a byte per weight and an FP32 scale per row; embeddings, norms, router and head in 16 bits",
        Codes = NumberFormats.Int8,
        Scope = experts ? LinearScope.AllLinear : LinearScope.NoExperts,
        Note = experts ? null : ExpertsNote,
        BytesOfLayer = (outputs, inputs) => checked(outputs * inputs + outputs * 4),
    };
}
