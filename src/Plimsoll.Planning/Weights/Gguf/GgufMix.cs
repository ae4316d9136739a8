using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;
using static Plimsoll.Planning.Weights.Gguf.GgufCategory;

namespace Plimsoll.Planning.Weights.Gguf;

/// <summary>The facts of a model that the mixing rules ask for.</summary>
/// <param name="Layers">All layers in the file, next-token-prediction layers included.</param>
/// <param name="Experts">Routed experts per layer; 0 for a dense model.</param>
/// <param name="HeadsPerKeyValueHead">Query heads per key-value head of the first layer; 0 when that layer has no attention.</param>
/// <param name="Falcon">The model has llama.cpp's falcon architecture.</param>
/// <param name="Is70B">llama.cpp classifies the model as 70B.</param>
public sealed record GgufMixFacts(int Layers, int Experts, int HeadsPerKeyValueHead, bool Falcon, bool Is70B);

/// <summary>What the user decides beside the file type: the options of <c>llama-quantize</c>.</summary>
public sealed record GgufMixOptions
{
    /// <summary>An importance matrix is given; a few mixtures choose other types then.</summary>
    public bool HasImatrix { get; init; }

    /// <summary>Every tensor that may be quantized gets the default type.</summary>
    public bool Pure { get; init; }

    /// <summary>The type of the output head; null leaves it to the mixture.</summary>
    public NumberFormat? OutputType { get; init; }

    /// <summary>The type of the token embedding; null leaves it to the mixture.</summary>
    public NumberFormat? EmbeddingType { get; init; }

    /// <summary>The type that the user gives a tensor of this name; null leaves it to the mixture.</summary>
    public Func<string, NumberFormat?> TypeOf { get; init; } = _ => null;
}

/// <summary>A tensor whose rows the blocks of its type do not divide.</summary>
public sealed record GgufFallback(GgufTensor Tensor, NumberFormat Wanted, NumberFormat Taken);

/// <summary>Which tensor type each tensor of a GGUF file gets: the rules of <c>llama-quantize</c>, restated as one pass with counters.</summary>
/// <remarks>Source: llama.cpp src/llama-quant.cpp (llama_tensor_get_type_impl, tensor_type_fallback), commit 007dbbf.</remarks>
public sealed class GgufMix(GgufFileType fileType, GgufMixFacts facts, GgufMixOptions options)
{
    private readonly string type = fileType.Name;
    private readonly bool hasImatrix = options.HasImatrix;
    private readonly List<GgufFallback> fallbacks = [];
    private int valuesSeen;
    private int downsSeen;
    private int gatesSeen;
    private int upsSeen;
    private int values;
    private bool tied;

    /// <summary>The tensors that got another type than the rules say, because of their shape.</summary>
    public IReadOnlyList<GgufFallback> Fallbacks => fallbacks;

    /// <summary>The type of each tensor, in the order of <paramref name="tensors"/>, which must be sorted by layer and name.</summary>
    public NumberFormat[] Assign(IReadOnlyList<GgufTensor> tensors)
    {
        values = tensors.Count(tensor => tensor.Category.IsValueLike());
        tied = tensors.All(tensor => tensor.Name != "output.weight");
        (valuesSeen, downsSeen, gatesSeen, upsSeen) = (0, 0, 0, 0);
        fallbacks.Clear();
        return [.. tensors.Select(Assign)];
    }

    private NumberFormat Assign(GgufTensor tensor)
    {
        if (tensor.AllowsQuantization && (ByUser(tensor) ?? ByRule(tensor)) is { } wanted)
        {
            var taken = Fallback(tensor, wanted);
            if (taken != wanted)
                fallbacks.Add(new(tensor, wanted, taken));
            return taken;
        }
        if (tensor.AlwaysF32)
            return NumberFormats.Fp32;
        // What the quantizer may not touch keeps the 16 bits of the converted file.
        return IsQuantized(fileType.DefaultType) ? NumberFormats.Bf16 : fileType.DefaultType;
    }

    private NumberFormat? ByUser(GgufTensor tensor) => tensor.Category switch
    {
        TokenEmbedding when options.EmbeddingType is { } embedding => embedding,
        Output when options.OutputType is { } output => output,
        _ => options.TypeOf(tensor.Name),
    };

    /// <summary>Null where the file type is not a quantized one.</summary>
    private NumberFormat? ByRule(GgufTensor tensor) =>
        !IsQuantized(fileType.DefaultType) ? null : options.Pure ? fileType.DefaultType : Choose(tensor);

    private static bool IsQuantized(NumberFormat format) => format.BlockLength > 1;

    private NumberFormat Choose(GgufTensor tensor)
    {
        var category = tensor.Category;
        var name = category switch
        {
            Output => OutputType(tensor),
            TokenEmbedding when tied => OutputType(tensor),
            _ when type == "mxfp4_moe" => tensor.Matrices > 1 ? "MXFP4" : "Q8_0",
            TokenEmbedding => EmbeddingType(),
            _ when IsIQ1Or2 => LowBitType(category),
            AttentionV or AttentionQkv or AttentionKvB => ValueType(),
            AttentionK => KeyType(),
            AttentionQ => QueryType(),
            FeedForwardDown => DownType(tensor),
            AttentionOutput => AttentionOutputType(),
            FeedForwardGate => GateOrUpType(tensor, gatesSeen++),
            FeedForwardUp => GateOrUpType(tensor, upsSeen++),
            _ => null,
        };
        return name is null ? fileType.DefaultType : GgufFileType.Type(name);
    }

    private bool IsIQ1Or2 => type is "iq1_s" or "iq1_m" || IsIQ2XxsOrXs || IsIQ2SOrM;

    private bool IsIQ2XxsOrXs => type is "iq2_xxs" or "iq2_xs";

    private bool IsIQ2SOrM => type is "iq2_s" or "iq2_m";

    private bool GroupedBy4 => facts.HeadsPerKeyValueHead >= 4;

    private bool EightExperts => facts.Experts == 8;

    private string? OutputType(GgufTensor tensor)
    {
        if (type == "mxfp4_moe" || facts.Falcon || tensor.RowLength % fileType.DefaultType.BlockLength != 0)
            return "Q8_0";
        if (IsIQ1Or2 || type == "iq3_xxs")
            return "Q5_K";
        return type == "q8_0" ? null : "Q6_K";
    }

    private string? EmbeddingType() => type switch
    {
        "iq2_xxs" or "iq2_xs" or "iq1_s" or "iq1_m" => "Q2_K",
        "iq2_s" or "iq2_m" or "iq3_xxs" => "IQ3_S",
        "tq1_0" or "tq2_0" or "q2_0" => "Q4_K",
        // llama-quantize does not make this type; rows are looked up without the scale of the tensor that NVFP4 needs.
        "nvfp4" => "Q8_0",
        _ => null,
    };

    private string? LowBitType(GgufCategory category)
    {
        var better = IsIQ2SOrM ? "IQ3_S" : "Q2_K";
        if (category.IsValueLike())
        {
            valuesSeen++;
            return GroupedBy4 || facts.Experts >= 4 ? "Q4_K" : better;
        }
        switch (category)
        {
            case AttentionK when EightExperts:
                return "Q4_K";
            case FeedForwardDown:
                // Every tensor counts here, also the several per layer of a mixture of experts.
                return downsSeen++ < facts.Layers / 8 ? better : null;
            case AttentionOutput when EightExperts:
                return "Q5_K";
            case AttentionOutput when type is "iq1_s" or "iq1_m":
                return "IQ2_XXS";
            case AttentionOutput when IsIQ2SOrM:
                return "IQ3_S";
            default:
                return null;
        }
    }

    private string? ValueType()
    {
        var index = valuesSeen++;
        var chosen = type switch
        {
            "q2_k" => GroupedBy4 ? "Q4_K" : "Q3_K",
            "q2_k_s" when GroupedBy4 => "Q4_K",
            "iq3_xxs" => GroupedBy4 ? "Q4_K" : hasImatrix ? "IQ3_XXS" : "IQ3_S",
            "iq3_xs" or "iq3_s" when GroupedBy4 => "Q4_K",
            "iq3_m" => "Q4_K",
            "q3_k_m" => index < 2 ? "Q5_K" : "Q4_K",
            "q3_k_l" => "Q5_K",
            "iq4_nl" or "iq4_xs" when GroupedBy4 => "Q5_K",
            "q4_k_m" or "q5_k_m" when MoreBits(index, values) => "Q6_K",
            "q4_k_s" when index < 4 => "Q5_K",
            _ => null,
        };
        if (facts.Is70B && (chosen ?? fileType.DefaultType.Name) is "Q3_K" or "Q4_K")
            chosen = "Q5_K";
        return EightExperts ? "Q8_0" : chosen;
    }

    private string? KeyType() => EightExperts ? "Q8_0" : QueryType();

    private string? QueryType() => type switch
    {
        "iq3_xs" => "IQ3_XXS",
        "iq3_xxs" => "IQ2_S",
        _ => null,
    };

    private string? DownType(GgufTensor tensor)
    {
        var layer = LayerIndex(tensor, downsSeen++);
        var first = layer < facts.Layers / 8;
        var more = MoreBits(layer, facts.Layers);
        return type switch
        {
            "q2_k" => "Q3_K",
            "q2_k_s" when first => "Q4_K",
            "iq3_xxs" when !hasImatrix => first ? "Q4_K" : "Q3_K",
            "q3_k_m" => layer < facts.Layers / 16 ? "Q5_K" : !facts.Falcon || more ? "Q4_K" : "Q3_K",
            "iq3_m" when first || (EightExperts && more) => "Q4_K",
            "q3_k_l" => facts.Falcon ? "Q4_K" : "Q5_K",
            "q4_k_m" when facts.Falcon => layer < facts.Layers / 16 ? "Q6_K" : more ? "Q5_K" : "Q4_K",
            "q4_k_m" or "q5_k_m" when more => "Q6_K",
            "iq4_nl" or "iq4_xs" when first && !hasImatrix => "Q5_K",
            "q4_k_s" when first && !facts.Falcon => "Q5_K",
            "q4_0" when first && hasImatrix => "Q4_1",
            "q5_0" when first && hasImatrix => "Q5_1",
            _ => null,
        };
    }

    private string? AttentionOutputType()
    {
        if (facts.Falcon)
            return type == "q3_k_l" ? "Q4_K" : null;
        if (EightExperts)
            return type is "q2_k" or "iq3_xs" or "iq3_xxs" or "q3_k_s" or "q3_k_m" or "iq4_nl" or "q4_k_s" or "q4_k_m" or "iq3_s" or "iq3_m" or "iq4_xs" ? "Q5_K" : null;
        return type switch
        {
            "q2_k" => "Q3_K",
            "iq3_xxs" => "IQ3_S",
            "q3_k_m" or "iq3_m" => "Q4_K",
            "q3_k_l" => "Q5_K",
            _ => null,
        };
    }

    private string? GateOrUpType(GgufTensor tensor, int seen)
    {
        var layer = LayerIndex(tensor, seen);
        return type == "iq3_xs" && layer >= facts.Layers / 8 && layer < 7 * facts.Layers / 8 ? "IQ3_XXS" : null;
    }

    /// <summary>Dense models count the tensors; with experts the layer is in the name, because a layer has several.</summary>
    private int LayerIndex(GgufTensor tensor, int seen) => facts.Experts > 1 ? tensor.Layer : seen;

    private static bool MoreBits(int index, int count) => index < count / 8 || index >= 7 * count / 8 || (index - count / 8) % 3 == 2;

    /// <summary>Rows that a block does not divide get a type that does.</summary>
    private static NumberFormat Fallback(GgufTensor tensor, NumberFormat chosen)
    {
        if (tensor.RowLength % chosen.BlockLength == 0)
            return chosen;
        var other = chosen.Name switch
        {
            "IQ1_S" or "IQ1_M" or "IQ2_XXS" or "IQ2_XS" or "IQ2_S" or "IQ3_XXS" or "IQ3_S" or "IQ4_XS" => "IQ4_NL",
            "Q2_0" or "Q2_K" or "Q3_K" or "TQ1_0" or "TQ2_0" => "Q4_0",
            "Q4_K" => "Q5_0",
            "Q5_K" => "Q5_1",
            "Q6_K" => "Q8_0",
            // Ours: llama-quantize does not make NVFP4.
            "NVFP4_GGML" => "MXFP4",
            // There is no smaller block.
            _ when chosen.BlockLength <= 32 => "F16",
            _ => throw new PrecisionNotApplicableException(
                $"{tensor.Name} has rows of {tensor.RowLength} elements, which blocks of {chosen.BlockLength} do not divide, and llama.cpp has no fallback for {chosen.Name}; "
                + "choose a K-quant such as gguf:q4_k_m, which has one."),
        };
        var fallback = GgufFileType.Type(other);
        return tensor.RowLength % fallback.BlockLength == 0 ? fallback : NumberFormats.Fp16;
    }
}
