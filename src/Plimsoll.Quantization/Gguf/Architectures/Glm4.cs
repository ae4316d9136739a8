using System.Collections.Immutable;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>GLM-4-0414: half of each head rotated.</summary>
internal sealed class Glm4 : GgufArchitecture
{
    public override string Name => "glm4";

    public override ImmutableArray<string> ModelTypes => ["glm4"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        base.WriteKeys(model, keys);
        keys.Integer("rope.dimension_count", (int)(model.HeadDim * (model.Rope.PartialFactor ?? 0.5f)));
    }
}
