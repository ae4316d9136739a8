using Plimsoll.Models;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Speed;

/// <summary>How several GPUs share one model.</summary>
public enum ParallelMode
{
    /// <summary>Whole layers per GPU: the GPUs work one after the other for a token (llama.cpp's default, <c>device_map</c>).</summary>
    LayerSplit,

    /// <summary>Every matrix is cut: all GPUs work on a token together and exchange results twice per layer (vLLM, SGLang).</summary>
    Tensor,
}

/// <summary>Everything that the speed model looks at. Bytes and counts are of the whole model, not per GPU.</summary>
public sealed record SpeedInput
{
    /// <summary><c>llama.cpp</c>, <c>vllm</c>, <c>sglang</c>, <c>transformers</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>The engine's version where it is known; null for a current one.</summary>
    public string? EngineVersion { get; init; }

    public required GpuSpec Gpu { get; init; }

    public int GpuCount { get; init; } = 1;

    public ParallelMode Parallel { get; init; } = ParallelMode.LayerSplit;

    /// <summary>The precision of the weights, as the user types it: <c>bf16</c>, <c>gguf:q4_k_m</c>, <c>awq:4bit-g128</c>.</summary>
    public required string Precision { get; init; }

    public required int Layers { get; init; }

    /// <summary>Layers with routed experts, the experts of one such layer, and how many of them one token visits.</summary>
    public int ExpertLayers { get; init; }

    public int Experts { get; init; }

    public int ExpertsPerToken { get; init; }

    /// <summary>Weight bytes that every token reads: all but the input embedding and the routed experts.</summary>
    public required double DenseBytes { get; init; }

    /// <summary>Bytes of all routed experts together.</summary>
    public double ExpertBytes { get; init; }

    /// <summary>KV-cache bytes that one token of one sequence reads at the context in question.</summary>
    public required double KeyValueBytes { get; init; }

    /// <summary>Tokens that already are in the context of a sequence when the token is computed.</summary>
    public int ContextTokens { get; init; }

    /// <summary>Query heads that share one key-value head; 1 for plain multi-head attention.</summary>
    public double QueriesPerKeyValueHead { get; init; } = 1;

    /// <summary>Key-value heads; tensor parallelism cannot cut the cache finer.</summary>
    public int KeyValueHeads { get; init; } = 1;

    /// <summary>Parameters in matrix products of one token, without embedding and output head.</summary>
    public required double ActiveParameters { get; init; }

    /// <summary>Parameters of all matrices, without embedding and output head: what a prefill chunk reads.</summary>
    public double MatrixParameters { get; init; }

    /// <summary>Sequences decoded together.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Tokens of one prompt, for prefill.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Floating-point operations of the causal attention scores and sums over the whole prompt (two matrix products, half of the square).</summary>
    public double AttentionOperations { get; init; }

    /// <summary>Weight bytes that a decode step of the whole batch reads: each sequence visits k of E experts, so b sequences visit 1-(1-k/E)^b of them.</summary>
    public double StepBytes => DenseBytes + (Experts == 0 ? 0 : ExpertBytes * (1 - Math.Pow(1 - (double)ExpertsPerToken / Experts, Batch)));

    /// <summary>The input of a model in a precision.</summary>
    /// <param name="context">Tokens in the context of each sequence: for a whole generation, the prompt and half of what is generated.</param>
    /// <param name="keyValueElementBytes">Bytes of one cached element: 2 for f16.</param>
    public static SpeedInput From(
        ModelShape model, WeightSet weights, string engine, GpuSelection gpus, int context, int promptTokens = 0, int batch = 1, double keyValueElementBytes = 2)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(gpus);
        var read = weights.Tensors.Where(tensor => IsRead(model, tensor.Shape)).ToList();
        var matrices = model.Tensors.Where(tensor => tensor.IsLinear && tensor.Role is not (TensorRole.Embedding or TensorRole.OutputHead or TensorRole.Tower or TensorRole.NextToken)).ToList();
        var experts = model.Layers.Select(layer => layer.FeedForward?.Experts).Where(shape => shape is not null).ToList();
        var attention = model.Layers.Select(layer => layer.Attention).OfType<AttentionShape>().ToList();
        return new()
        {
            Engine = engine,
            Gpu = gpus.Gpu,
            GpuCount = gpus.Count,
            Parallel = engine is "vllm" or "sglang" ? ParallelMode.Tensor : ParallelMode.LayerSplit,
            Precision = weights.Precision,
            Layers = model.Layers.Length,
            ExpertLayers = experts.Count,
            Experts = experts.FirstOrDefault()?.Count ?? 0,
            ExpertsPerToken = experts.FirstOrDefault()?.UsedPerToken ?? 0,
            DenseBytes = read.Where(tensor => tensor.Shape.Role != TensorRole.Expert).Sum(tensor => (double)tensor.Bytes),
            ExpertBytes = read.Where(tensor => tensor.Shape.Role == TensorRole.Expert).Sum(tensor => (double)tensor.Bytes),
            KeyValueBytes = attention.Sum(layer => CachedElements(layer) * Seen(layer, context)) * keyValueElementBytes,
            ContextTokens = context,
            QueriesPerKeyValueHead = attention.Count == 0 ? 1 : attention.Average(layer => (double)layer.Heads / Math.Max(1, layer.KeyValueHeads)),
            KeyValueHeads = attention.Count == 0 ? 1 : Math.Max(1, attention.Min(layer => layer.KeyValueHeads)),
            ActiveParameters = matrices.Sum(tensor => (double)tensor.ActiveElements),
            MatrixParameters = matrices.Sum(tensor => (double)tensor.Elements),
            Batch = batch,
            PromptTokens = promptTokens,
            AttentionOperations = attention.Sum(layer => PairsSeen(layer, promptTokens) * 2.0 * layer.Heads * (layer.KeyHeadDim + layer.ValueHeadDim)),
        };
    }

    /// <summary>The input embedding is looked up, not read, unless it also is the output head; towers and MTP layers take no part in a text token.</summary>
    private static bool IsRead(ModelShape model, TensorShape tensor) => tensor.Role switch
    {
        TensorRole.Embedding => model.TiedEmbeddings && !model.Tensors.Any(other => other.Role == TensorRole.OutputHead),
        TensorRole.PositionEmbedding or TensorRole.Tower or TensorRole.NextToken => false,
        _ => true,
    };

    private static double CachedElements(AttentionShape layer) =>
        layer.Latent is { } latent ? latent.KeyValueRank + latent.RopeDim : (double)layer.KeyValueHeads * (layer.KeyHeadDim + layer.ValueHeadDim);

    private static double Seen(AttentionShape layer, int context) => layer.Window is { } window ? Math.Min(window, context) : context;

    /// <summary>Pairs of a token with itself and what it sees before it.</summary>
    private static double PairsSeen(AttentionShape layer, double tokens)
    {
        var window = Math.Min(layer.Window ?? tokens, tokens);
        return window * tokens - window * window / 2;
    }
}
