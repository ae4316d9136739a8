using System.Collections.Immutable;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>OLMo 2 and 3; the third has windows in three layers of four.</summary>
internal sealed class Olmo2 : GgufArchitecture
{
    public override string Name => "olmo2";

    public override ImmutableArray<string> ModelTypes => ["olmo2", "olmo3"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        base.WriteKeys(model, keys);
        if (model.Integer("sliding_window") is not { } window)
            return;
        keys.Integer("attention.sliding_window", window);
        DecoderKeys.WindowPattern(model, keys);
    }
}
