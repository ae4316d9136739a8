namespace Plimsoll.Models.Architectures;

/// <summary>Norms over queries and keys before the scores.</summary>
internal enum QueryKeyNorm
{
    None,

    /// <summary>One weight vector of head_dim, shared by the heads (Qwen3, Gemma 3).</summary>
    SharedByHeads,

    /// <summary>Weights over the whole projection: heads × head_dim (OLMo 2, MiniMax M2).</summary>
    WholeProjection,

    /// <summary>A (heads, head_dim) matrix of weights (Command R+).</summary>
    PerHead,
}

/// <summary>How the attention of a decoder names its projections and which of them have a bias.</summary>
internal sealed record AttentionStyle
{
    /// <summary>The separate projections, or null for one fused tensor.</summary>
    public string Query { get; init; } = "q_proj";

    public string Key { get; init; } = "k_proj";

    public string Value { get; init; } = "v_proj";

    public string Output { get; init; } = "o_proj";

    /// <summary>The name of a fused query-key-value projection; null when they are stored apart.</summary>
    public string? Fused { get; init; }

    public bool InputBias { get; init; }

    /// <summary>The key projection has its bias too where <see cref="InputBias"/> is set. (Whisper-like models leave it out.)</summary>
    public bool OutputBias { get; init; }

    public QueryKeyNorm QueryKeyNorm { get; init; }

    public string QueryNorm { get; init; } = "q_norm";

    public string KeyNorm { get; init; } = "k_norm";

    public bool QueryKeyNormBias { get; init; }
}

/// <summary>How a feed-forward part names its matrices.</summary>
internal sealed record FeedForwardStyle
{
    public string? Gate { get; init; } = "gate_proj";

    public string Up { get; init; } = "up_proj";

    public string Down { get; init; } = "down_proj";

    /// <summary>Gate and up in one tensor of 2 × width outputs, stored under the name of <see cref="Up"/>.</summary>
    public bool FusedGateUp { get; init; }

    public bool Bias { get; init; }

    public bool DownBias { get; init; }

    public bool Gated => Gate is not null || FusedGateUp;

    public static FeedForwardStyle Plain(string up, string down, bool bias) => new() { Gate = null, Up = up, Down = down, Bias = bias, DownBias = bias };
}

/// <summary>How a mixture of experts names its parts. Names are relative to the layer.</summary>
internal sealed record ExpertStyle
{
    public string Router { get; init; } = "mlp.gate";

    public bool RouterBias { get; init; }

    /// <summary>A vector of one number per expert that corrects the routing (DeepSeek-V3); its full name in the layer, or null.</summary>
    public string? Correction { get; init; }

    /// <summary>Where the experts lie; <c>*</c> is the expert number. For stacked experts the folder of the stack.</summary>
    public string Experts { get; init; } = "mlp.experts.*.";

    public FeedForwardStyle Matrices { get; init; } = new();

    /// <summary>Where the shared experts lie; null when the family has none.</summary>
    public string? Shared { get; init; }

    /// <summary>A one-output gate of the shared expert (Qwen2-MoE); its name, or null.</summary>
    public string? SharedGate { get; init; }
}

/// <summary>Everything about a decoder that is the same in each layer: how a family differs from Llama.</summary>
internal sealed record DecoderStyle
{
    public AttentionStyle Attention { get; init; } = new();

    public string AttentionFolder { get; init; } = "self_attn.";

    public FeedForwardStyle FeedForward { get; init; } = new();

    public string FeedForwardFolder { get; init; } = "mlp.";

    /// <summary>The norms of a layer as wide as the hidden state, by name.</summary>
    public IReadOnlyList<string> LayerNorms { get; init; } = ["input_layernorm", "post_attention_layernorm"];

    /// <summary>LayerNorm with a bias instead of RMSNorm.</summary>
    public bool NormBias { get; init; }

    public string LayersFolder { get; init; } = "layers.";

    public string Embedding { get; init; } = "embed_tokens";

    /// <summary>The norm behind the last layer; null where it has no weights.</summary>
    public string? FinalNorm { get; init; } = "norm";

    public string Head { get; init; } = "lm_head";

    public bool HeadBias { get; init; }

    /// <summary>What a layer has instead of plain attention over the whole context; null for that.</summary>
    public Func<DecoderLayer, Mixer>? Mixer { get; init; }

    /// <summary>What a layer has instead of a dense feed-forward part; null for that.</summary>
    public Func<DecoderLayer, FeedForwardShape?>? LayerFeedForward { get; init; }

    /// <summary>The sliding window of a layer; null where it attends to the whole context.</summary>
    public Func<int, int?>? Window { get; init; }
}

/// <summary>How a layer mixes tokens: attention, a recurrence, or both.</summary>
internal readonly record struct Mixer(AttentionShape? Attention, RecurrentShape? Recurrent = null);

/// <summary>One layer while its tensors are written.</summary>
/// <param name="Prefix">What its tensor names begin with: <c>model.layers.3.</c></param>
internal sealed record DecoderLayer(ShapeBuilder Builder, DecoderFacts Facts, DecoderStyle Style, int Index, string Prefix);
