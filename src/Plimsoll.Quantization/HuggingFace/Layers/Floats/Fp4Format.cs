using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Floats;

/// <summary>MXFP4 and NVFP4 as compressed-tensors packs them, activations in 16 bits: the four-bit activations of Blackwell need a calibrated scale.</summary>
internal sealed class Fp4Format(bool isNvfp4) : LinearFormat
{
    private readonly int block = isNvfp4 ? MicroScaling.NvBlock : MicroScaling.MxBlock;

    public override string Name => isNvfp4 ? "nvfp4" : "ct:mxfp4";

    public override string Description => isNvfp4 ? "compressed-tensors NVFP4" : "compressed-tensors MXFP4";

    public override string? Obstacle(long outputs, long inputs) => inputs % block != 0 ? $"their inputs are no multiple of {block}" : null;

    /// <summary>vLLM keeps the projections of an attention layer and of a gated feed-forward part as one matrix with one scale of the whole.</summary>
    public override string? FusedKey(string module)
    {
        if (!isNvfp4)
            return null;
        var dot = module.LastIndexOf('.');
        return module[(dot + 1)..] switch
        {
            "q_proj" or "k_proj" or "v_proj" => module[..(dot + 1)] + "qkv_proj",
            "gate_proj" or "up_proj" => module[..(dot + 1)] + "gate_up_proj",
            "w1" or "w3" => module[..(dot + 1)] + "w13",
            _ => null,
        };
    }

    public override WeightJob CreateJob(ImmutableArray<StoredWeight> layers, NumberFormat model) => isNvfp4
        ? new Nvfp4Job(layers, Description)
        : new Mxfp4Job(layers[0], Description);

    public override WeightJob? CreateTranscode(StoredWeight layer, NumberFormat model) =>
        layer is Fp4Weight source && source.IsNvfp4 == isNvfp4 ? new Fp4TranscodeJob(source, Description) : null;

    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<string> plain) => CompressedTensorsConfig.Write(
        json, isNvfp4 ? "nvfp4-pack-quantized" : "mxfp4-pack-quantized", plain, weights: () => CompressedTensorsConfig.WriteNumbers(
            json, 4, "float", isSymmetric: true, isNvfp4 ? "tensor_group" : "group", block, scaleType: isNvfp4 ? "torch.float8_e4m3fn" : "torch.uint8"));
}
