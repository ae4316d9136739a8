using System.Collections.Immutable;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>StableLM 3B and StableLM 2.</summary>
internal sealed class StableLm : GgufArchitecture
{
    public override string Name => "stablelm";

    public override ImmutableArray<string> ModelTypes => ["stablelm", "stablelm_epoch"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        DecoderKeys.Sizes(model, keys);
        keys.Integer("rope.dimension_count", (int)((model.Rope.PartialFactor ?? 0.25f) * model.HeadDim));
        keys.Number("rope.freq_base", model.Rope.Theta);
        keys.Flag("use_parallel_residual", model.Flag("use_parallel_residual") ?? true);
        keys.Number("attention.layer_norm_epsilon", model.Number("layer_norm_eps", "norm_eps") ?? 1e-5f);
    }
}
