using System.Collections.Immutable;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>Qwen2 and Qwen2.5.</summary>
internal sealed class Qwen2 : GgufArchitecture
{
    public override string Name => "qwen2";

    public override ImmutableArray<string> ModelTypes => ["qwen2"];
}

/// <summary>Qwen3.</summary>
internal sealed class Qwen3 : GgufArchitecture
{
    public override string Name => "qwen3";

    public override ImmutableArray<string> ModelTypes => ["qwen3"];

    protected override bool ScalesFeedForward => true;
}

/// <summary>Qwen3 with experts.</summary>
internal sealed class Qwen3Moe : GgufArchitecture
{
    public override string Name => "qwen3moe";

    public override ImmutableArray<string> ModelTypes => ["qwen3_moe"];

    protected override bool ScalesFeedForward => true;

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        base.WriteKeys(model, keys);
        keys.Integer("expert_feed_forward_length", model.RequireInteger("moe_intermediate_size"));
    }
}
