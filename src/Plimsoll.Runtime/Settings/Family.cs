using System.Collections.Frozen;
using Plimsoll.Models;
using Plimsoll.Runtime.Weights;

namespace Plimsoll.Runtime.Settings;

/// <summary>What all models of an architecture have in common and no configuration states.</summary>
internal sealed record Family
{
    public NormKind Norm { get; init; } = NormKind.RootMeanSquare;

    public NormPlacement NormPlacement { get; init; } = NormPlacement.Before;

    public Residual Residual { get; init; } = Residual.Sequential;

    /// <summary>What GGUF files mean; <c>config.json</c> states its own.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    public bool Gated { get; init; } = true;

    public QueryKeyNorm QueryKeyNorm { get; init; }

    /// <summary>How llama.cpp's files pair the elements of a head (<c>llama_model_rope_type</c>); transformers pairs halves.</summary>
    public RopePairing GgufPairing { get; init; } = RopePairing.Halves;

    public bool LearnedPositions { get; init; }

    /// <summary>Embeddings are multiplied by sqrt(hidden_size).</summary>
    public bool ScalesEmbeddings { get; init; }

    /// <summary>Every n-th layer does not rotate, where neither keys nor configuration list the layers; 0 for none.</summary>
    public int UnrotatedPeriod { get; init; }

    /// <summary>Layers with a window rotate by another base, which is 10,000 unless stated; null where they rotate like the others.</summary>
    public double? WindowTheta { get; init; }

    /// <summary>Layers with a window do not scale their rotations.</summary>
    public bool WindowUnscaled { get; init; }

    /// <summary>Linear layers whose biases belong to the architecture; other biases are used where a checkpoint has them.</summary>
    public Biases Biases { get; init; }

    /// <summary>How transformers names its tensors.</summary>
    public HuggingFaceNames Names { get; init; } = HuggingFaceNames.Llama;
}

/// <summary>Linear layers with a bias.</summary>
[Flags]
internal enum Biases
{
    None = 0,
    QueryKeyValue = 1,
    Output = 2,
    FeedForward = 4,
    All = 7,
}

/// <summary>The architectures that can be run. A new one that is only a new combination of known parts is one line here.</summary>
internal static class Families
{
    private static readonly Family Llama = new() { GgufPairing = RopePairing.Neighbours };

    private static readonly Family Qwen2 = new() { Biases = Biases.QueryKeyValue };

    private static readonly Family Qwen3 = new() { QueryKeyNorm = QueryKeyNorm.SharedByHeads };

    private static readonly Family Gemma = new() { Activation = Activation.GeluTanh, ScalesEmbeddings = true, Names = HuggingFaceNames.Llama with { NormOffset = 1 } };

    private static readonly Family Gemma2 = Gemma with { NormPlacement = NormPlacement.Around, Names = HuggingFaceNames.Gemma2 };

    private static readonly Family Gemma3 = Gemma2 with { QueryKeyNorm = QueryKeyNorm.SharedByHeads, WindowTheta = 10_000, WindowUnscaled = true };

    private static readonly Family Olmo2 = new() { NormPlacement = NormPlacement.After, QueryKeyNorm = QueryKeyNorm.WholeProjection, WindowUnscaled = true, Names = HuggingFaceNames.Olmo2 };

    private static readonly Family SmolLm3 = Llama with { UnrotatedPeriod = 4 };

    private static readonly Family Gpt2 = new()
    {
        Norm = NormKind.LayerNorm,
        Activation = Activation.GeluTanh,
        Gated = false,
        LearnedPositions = true,
        Biases = Biases.All,
        Names = HuggingFaceNames.Gpt2,
    };

    private static readonly Family GptNeoX = new()
    {
        Norm = NormKind.LayerNorm,
        Activation = Activation.GeluTanh,
        Gated = false,
        Biases = Biases.All,
        Names = HuggingFaceNames.GptNeoX,
    };

    private static readonly Family StableLm = new() { Norm = NormKind.LayerNorm, Names = HuggingFaceNames.StableLm };

    /// <summary>By llama.cpp's name (<c>general.architecture</c>).</summary>
    private static readonly FrozenDictionary<string, Family> Gguf = new Dictionary<string, Family>
    {
        ["llama"] = Llama,
        ["qwen2"] = Qwen2,
        ["qwen3"] = Qwen3,
        ["qwen3moe"] = Qwen3,
        ["gemma"] = Gemma,
        ["gemma2"] = Gemma2,
        ["gemma3"] = Gemma3,
        ["phi3"] = new() { Names = HuggingFaceNames.Phi3 },
        ["gpt2"] = Gpt2,
        ["gptneox"] = GptNeoX,
        ["stablelm"] = StableLm,
        ["olmo2"] = Olmo2,
        ["granite"] = Llama,
        ["smollm3"] = SmolLm3,
    }.ToFrozenDictionary();

    /// <summary>By the model type of <c>config.json</c>.</summary>
    private static readonly FrozenDictionary<string, Family> HuggingFace = new Dictionary<string, Family>
    {
        ["llama"] = Llama,
        ["mistral"] = Llama,
        ["mixtral"] = Llama with { Names = HuggingFaceNames.Mixtral },
        ["qwen2"] = Qwen2,
        ["qwen3"] = Qwen3,
        ["qwen3_moe"] = Qwen3 with { Names = HuggingFaceNames.QwenMoe },
        ["gemma"] = Gemma,
        ["gemma2"] = Gemma2,
        ["gemma3_text"] = Gemma3,
        ["phi3"] = new() { Names = HuggingFaceNames.Phi3 },
        ["gpt2"] = Gpt2,
        ["gpt_neox"] = GptNeoX,
        ["stablelm"] = StableLm,
        ["olmo2"] = Olmo2,
        ["olmo3"] = Olmo2,
        ["granite"] = Llama,
        ["smollm3"] = SmolLm3,
    }.ToFrozenDictionary();

    /// <exception cref="UnknownArchitectureException">It cannot be run.</exception>
    public static Family OfGguf(string architecture) => Find(Gguf, architecture);

    /// <inheritdoc cref="OfGguf"/>
    public static Family OfConfig(string modelType) => Find(HuggingFace, modelType);

    private static Family Find(FrozenDictionary<string, Family> families, string name) => families.GetValueOrDefault(name)
        ?? throw new UnknownArchitectureException(name, $"it cannot be run, only planned; these can: {string.Join(", ", families.Keys.Order(StringComparer.Ordinal))}", null);
}
