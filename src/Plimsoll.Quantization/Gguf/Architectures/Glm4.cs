using System.Collections.Immutable;
using Plimsoll.Checkpoints.Tokenizers;

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

    /// <summary>One token begins, ends and stands for the unknown; a turn ends where the user's begins.</summary>
    public override Vocabulary Adapt(Vocabulary vocabulary, GgufModel model)
    {
        var end = Find(vocabulary, "<|endoftext|>");
        return vocabulary with
        {
            Special = vocabulary.Special with
            {
                Bos = end ?? vocabulary.Special.Bos,
                Eos = end ?? vocabulary.Special.Eos,
                Unknown = end ?? vocabulary.Special.Unknown,
                Eot = Find(vocabulary, "<|user|>") ?? vocabulary.Special.Eot,
            },
        };
    }

    private static int? Find(Vocabulary vocabulary, string token) => vocabulary.Tokens.IndexOf(token) is var id and >= 0 ? id : null;
}
