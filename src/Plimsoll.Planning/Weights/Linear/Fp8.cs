using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Numerics;
using static Plimsoll.Planning.Weights.Linear.LinearMethod;

namespace Plimsoll.Planning.Weights.Linear;

/// <summary>FP8 E4M3 checkpoints: a byte per weight and FP32 scales.</summary>
internal static class Fp8
{
    /// <summary>One scale per layer. Source: compressed-tensors float-quantized, strategy tensor; ModelOpt FP8.</summary>
    public static LinearMethod Tensor => Of("fp8:tensor", "one scale per layer", (_, _) => 1);

    /// <summary>One scale per output row. vLLM keeps it in FP32. Source: compressed-tensors float-quantized, strategy channel.</summary>
    public static LinearMethod Channel => Of("fp8:channel", "a scale per output row", (outputs, _) => outputs);

    /// <summary>One scale per square of weights, the layout of DeepSeek-V3 and Qwen3. Source: transformers integrations/finegrained_fp8.py (weight_scale_inv).</summary>
    public static LinearMethod Block(int side) => Block(side, side);

    /// <inheritdoc cref="Block(int)"/>
    public static LinearMethod Block(int rows, int columns) =>
        Of($"fp8:block{new QuantizationBlock(rows, columns)}", $"a scale per {rows}×{columns} weights", (outputs, inputs) => Units(outputs, rows) * Units(inputs, columns)) with
        {
            IncludesNextToken = true,
        };

    private static LinearMethod Of(string name, string scales, Func<long, long, long> scaleCount) => new()
    {
        Name = name,
        Summary = $"FP8 E4M3, {scales} in FP32; embeddings, norms, router and head in 16 bits",
        Codes = NumberFormats.Fp8E4M3,
        BytesOfLayer = (outputs, inputs) => checked(outputs * inputs + scaleCount(outputs, inputs) * 4),
    };
}
