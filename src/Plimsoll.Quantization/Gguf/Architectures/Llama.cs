using System.Collections.Immutable;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>Llama 1 to 3, Mistral, Mixtral: rotary halves become pairs, the scaled frequencies of Llama 3.1 a tensor.</summary>
internal class Llama : GgufArchitecture
{
    /// <summary>Vocabulary of Granite's first code models, which are Llama otherwise and begin no text with a token.</summary>
    private const int GraniteCodeVocabulary = 49152;

    public override string Name => "llama";

    public override ImmutableArray<string> ModelTypes => ["llama", "mistral", "mixtral"];

    protected override bool ScalesFeedForward => true;

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        base.WriteKeys(model, keys);
        keys.Integer("vocab_size", model.Shape.VocabularySize);
        keys.Integer("rope.dimension_count", model.HeadDim);
    }

    public override TensorRows Arrange(GgufTensor tensor, TensorRows source, GgufModel model) => tensor.Name.Split('.') switch
    {
        [.., "attn_q", _] => RopeOrder.HalvesToPairs(source, model.Heads),
        [.., "attn_k", _] => RopeOrder.HalvesToPairs(source, model.KeyValueHeads),
        _ => source,
    };

    public override IEnumerable<(string Name, ImmutableArray<float> Values)> ComputedTensors(GgufModel model) =>
        model.Rope.Llama3Factors(model.HeadDim) is { } factors ? [("rope_freqs.weight", factors)] : [];

    public override Vocabulary Adapt(Vocabulary vocabulary, GgufModel model) =>
        model.Shape.VocabularySize == GraniteCodeVocabulary ? vocabulary with { AddBos = false } : vocabulary;
}

/// <summary>SmolLM3: Llama with every fourth layer unrotated, which llama.cpp knows by the name.</summary>
internal sealed class SmolLm3 : Llama
{
    public override string Name => "smollm3";

    public override ImmutableArray<string> ModelTypes => ["smollm3"];

    protected override bool ScalesFeedForward => false;
}

/// <summary>Granite 3: Llama with four multipliers.</summary>
internal sealed class Granite : Llama
{
    public override string Name => "granite";

    public override ImmutableArray<string> ModelTypes => ["granite"];

    protected override bool ScalesFeedForward => false;

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        base.WriteKeys(model, keys);
        keys.Number("attention.scale", model.Number("attention_multiplier"));
        keys.Number("embedding_scale", model.Number("embedding_multiplier"));
        keys.Number("residual_scale", model.Number("residual_multiplier"));
        keys.Number("logit_scale", model.RequireNumber("logits_scaling"));
    }
}
