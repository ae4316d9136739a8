using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Floats;

/// <summary>Which weights share the scale of FP8 codes.</summary>
internal enum Fp8Sharing
{
    Tensor,
    Channel,

    /// <summary>Squares of 128 × 128.</summary>
    Block,
}

/// <summary>FP8 E4M3: as compressed-tensors <c>float-quantized</c> stores it, or in DeepSeek's layout (<c>quant_method: fp8</c>), whose scales are always per block.</summary>
internal sealed class Fp8Format(Fp8Sharing sharing, bool isDeepSeek) : LinearFormat
{
    private const int Side = Fp8Job.BlockSide;

    public override string Name => sharing switch
    {
        Fp8Sharing.Tensor => "fp8:tensor",
        Fp8Sharing.Channel => "fp8:channel",
        _ => isDeepSeek ? $"fp8:block{Side}" : $"ct:fp8-block{Side}",
    };

    public override string Description => sharing switch
    {
        Fp8Sharing.Tensor => "compressed-tensors FP8, per tensor",
        Fp8Sharing.Channel => "compressed-tensors FP8, per channel",
        _ => $"{(isDeepSeek ? "" : "compressed-tensors ")}FP8, block {Side}×{Side}",
    };

    public override string? Obstacle(long outputs, long inputs) =>
        sharing == Fp8Sharing.Block && (outputs % Side != 0 || inputs % Side != 0) ? $"their sizes are no multiples of {Side}, the side of a block" : null;

    public override WeightJob CreateJob(ImmutableArray<StoredWeight> layers, NumberFormat model) =>
        new Fp8Job(layers[0], sharing, isDeepSeek ? ".weight_scale_inv" : ".weight_scale", isDeepSeek ? NumberFormats.Fp32 : model, Description);

    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<string> plain)
    {
        if (isDeepSeek)
            WriteDeepSeek(json, plain);
        else
            WriteCompressedTensors(json, plain);
    }

    private static void WriteDeepSeek(Utf8JsonWriter json, IReadOnlyList<string> plain)
    {
        json.WriteString("quant_method", "fp8");
        json.WriteString("activation_scheme", "dynamic");
        json.WriteString("fmt", "e4m3");
        json.WriteStartArray("weight_block_size");
        json.WriteNumberValue(Side);
        json.WriteNumberValue(Side);
        json.WriteEndArray();
        WriteList(json, "modules_to_not_convert", plain);
    }

    private void WriteCompressedTensors(Utf8JsonWriter json, IReadOnlyList<string> plain)
    {
        // Activations become FP8 while the model runs, by token; by 128 inputs of a token where the weights have blocks.
        var isBlock = sharing == Fp8Sharing.Block;
        CompressedTensorsConfig.Write(json, "float-quantized", plain,
            weights: () => CompressedTensorsConfig.WriteNumbers(
                json, 8, "float", isSymmetric: true, sharing switch { Fp8Sharing.Tensor => "tensor", Fp8Sharing.Channel => "channel", _ => "block" }, blockSide: isBlock ? Side : null),
            activations: () => CompressedTensorsConfig.WriteNumbers(
                json, 8, "float", isSymmetric: true, isBlock ? "group" : "token", isBlock ? Side : null, isDynamic: true));
    }
}
