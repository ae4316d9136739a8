using Plimsoll.Numerics;
using static Plimsoll.Planning.Weights.Linear.LinearMethod;

namespace Plimsoll.Planning.Weights.Linear;

/// <summary>4-bit floating point with block scales: MXFP4 and NVFP4.</summary>
internal static class MicroScaling
{
    /// <summary>MXFP4 as gpt-oss publishes it: 32 E2M1 codes and an E8M0 byte; the routed experts only.</summary>
    /// <remarks>…_blocks (experts, rows, groups, 16) U8, …_scales (experts, rows, groups) U8. Source: llama.cpp conversion/gpt_oss.py.</remarks>
    public static LinearMethod Mxfp4 => new()
    {
        Name = "mxfp4",
        Summary = "MXFP4, 32 weights to a scale byte: the routed experts, in a dense model every linear layer; the rest in 16 bits",
        Codes = NumberFormats.Mxfp4,
        Scope = LinearScope.ExpertsWhereThereAreAny,
        BytesOfLayer = (outputs, inputs) => checked(outputs * Units(inputs, 32) * 17),
    };

    /// <summary>MXFP4 of every linear layer, as compressed-tensors stores it.</summary>
    public static LinearMethod CompressedMxfp4 => Compressed(4);

    /// <summary>Every linear layer in 32 codes of E2M1 or E4M3 and a scale byte.</summary>
    /// <param name="bits">4 for MXFP4, 8 for MXFP8.</param>
    public static LinearMethod Compressed(int bits) => new()
    {
        Name = $"ct:mxfp{bits}",
        Summary = $"MXFP{bits}, 32 weights to a scale byte, every linear layer; embeddings, norms, router and head in 16 bits",
        Codes = bits == 4 ? NumberFormats.Mxfp4 : NumberFormats.Fp8E4M3,
        BytesOfLayer = (outputs, inputs) => checked(outputs * Units(inputs, 32) * (4 * bits + 1)),
    };

    /// <summary>NVFP4: 16 E2M1 codes and an FP8 scale, two FP32 scales per layer (weights and activations).</summary>
    /// <remarks>Source: compressed-tensors nvfp4-pack-quantized and ModelOpt: weight U8 (o, i/2), weight_scale F8 (o, i/16), global and input scale F32.</remarks>
    public static LinearMethod Nvfp4 => new()
    {
        Name = "nvfp4",
        Summary = "NVFP4, 16 weights to an FP8 scale, every linear layer; embeddings, norms, router and head in 16 bits",
        Codes = NumberFormats.Nvfp4,
        Note = "Published NVFP4 checkpoints often leave attention in 16 or 8 bits; the real checkpoint is exact.",
        Requirement = "NVFP4 needs inputs in sixteens",
        BytesOfLayer = (outputs, inputs) => inputs % 16 == 0 ? checked(outputs * inputs / 2 + outputs * inputs / 16 + 8) : null,
    };
}
