using System.Collections.Immutable;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>Gemma 1: norms multiply by 1 + weight, which the file stores as the weight.</summary>
internal class Gemma : GgufArchitecture
{
    public override string Name => "gemma";

    public override ImmutableArray<string> ModelTypes => ["gemma"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        DecoderKeys.Sizes(model, keys);
        keys.Number("attention.layer_norm_rms_epsilon", model.Number("rms_norm_eps") ?? 1e-6f);
        DecoderKeys.HeadDim(keys, (uint)model.HeadDim);
    }

    public override TensorRows Arrange(GgufTensor tensor, TensorRows source, GgufModel model) =>
        tensor.Name.EndsWith("norm.weight", StringComparison.Ordinal) ? source.Plus(1) : source;

    public override Vocabulary Adapt(Vocabulary vocabulary, GgufModel model) => vocabulary with { AddSpacePrefix = false };
}

/// <summary>Gemma 2: capped scores and logits, every second layer with a window.</summary>
internal sealed class Gemma2 : Gemma
{
    public override string Name => "gemma2";

    public override ImmutableArray<string> ModelTypes => ["gemma2"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        base.WriteKeys(model, keys);
        keys.Number("attn_logit_softcapping", model.RequireNumber("attn_logit_softcapping"));
        keys.Number("final_logit_softcapping", model.RequireNumber("final_logit_softcapping"));
        keys.Integer("attention.sliding_window", model.RequireInteger("sliding_window"));
    }
}

/// <summary>Gemma 3, the language model: two bases of rotation, five layers of six with a window.</summary>
/// <remarks>Published configurations leave out what equals the defaults of the 4B model, so the sizes come from the shape.</remarks>
internal sealed class Gemma3 : Gemma
{
    /// <summary>transformers, configuration_gemma3.py.</summary>
    private const float DefaultTheta = 1_000_000;

    public override string Name => "gemma3";

    public override ImmutableArray<string> ModelTypes => ["gemma3", "gemma3_text"];

    public override void WriteKeys(GgufModel model, ArchitectureKeys keys)
    {
        keys.Integer("block_count", model.Layers);
        keys.Integer("context_length", model.Shape.MaxContext ?? 131072);
        keys.Integer("embedding_length", model.Hidden);
        keys.Integer("feed_forward_length", model.Shape.Layers[0].FeedForward?.Width ?? throw model.Missing("intermediate_size"));
        keys.Integer("attention.head_count", model.Heads);
        keys.Integer("attention.head_count_kv", model.KeyValueHeads);
        if (model.Rope.Type == "linear")
        {
            keys.Word("rope.scaling.type", "linear");
            keys.Number("rope.scaling.factor", model.Rope.Number("factor"));
        }
        keys.Number("rope.freq_base", model.Rope.Theta ?? DefaultTheta);
        keys.Number("rope.freq_base_swa", model.Rope.WindowTheta);
        keys.Number("attention.layer_norm_rms_epsilon", model.Number("rms_norm_eps") ?? 1e-6f);
        keys.Number("final_logit_softcapping", model.Number("final_logit_softcapping"));
        DecoderKeys.HeadDim(keys, (uint)model.HeadDim);
        if (model.Integer("sliding_window_pattern") != 1)
            keys.Integer("attention.sliding_window", model.RequireInteger("sliding_window"));
    }

    // Since the 270M model some have a tokenizer.json only, with rules of its own for spaces.
    public override Vocabulary Adapt(Vocabulary vocabulary, GgufModel model) =>
        vocabulary.Kind == TokenizerKind.SentencePieceBpe ? base.Adapt(vocabulary, model) : vocabulary;
}
