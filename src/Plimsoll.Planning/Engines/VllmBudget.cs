using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>How vLLM divides its share of one card.</summary>
internal sealed record VllmBudget
{
    public required Stage Stage { get; init; }

    public required double Utilization { get; init; }

    public required long Weights { get; init; }

    public required ByteRange Activations { get; init; }

    public required string ActivationFormula { get; init; }

    /// <summary>CUDA graphs; null with eager execution.</summary>
    public PlanLine? Graphs { get; init; }

    /// <summary>Bytes of one block over the layers of the stage.</summary>
    public required long BlockBytes { get; init; }

    public required int BlockTokens { get; init; }

    /// <summary>Cache that the asked context and batch need, in whole blocks.</summary>
    public required long NeededCache { get; init; }


    /// <summary>What is left for the pool; negative when not even the rest fits; null without a device.</summary>
    public long? PoolBytes { get; init; }

    public long? PoolTokens => PoolBytes is { } bytes ? (BlockBytes == 0 ? long.MaxValue : Math.Max(0, bytes) / BlockBytes * BlockTokens) : null;

    public static string NonTorchConstant(InferenceRequest request) => request.Parallel.Devices > 1 ? "non_torch_parallel" : "non_torch";

    public static VllmBudget Create(InferenceRequest request, Stage stage)
    {
        var engine = request.Engine;
        var options = request.Vllm;
        var utilization = options.Utilization ?? engine.Number("utilization");
        var batchedTokens = Math.Max(options.MaxBatchedTokens ?? (int)engine.Number("max_batched_tokens"), 1);
        var sequences = Math.Min(options.MaxSequences ?? (int)engine.Number("max_sequences"), batchedTokens);
        var blockTokens = (int)engine.Number("block_tokens");
        var layers = stage.LayersOf(request.Model).ToList();
        var perToken = KvCache.BytesPerToken(layers, request.KvFormat, LatentCacheLayout.Compressed, request.Parallel.Tensor);
        var state = KvCache.StateBytes(layers, bytesPerElement: 2) * request.Batch;
        var width = ActivationWidth.PerToken(request.Model, request.Parallel.Tensor);
        var logits = stage.IsLast ? 12.0 * sequences * request.Model.VocabularySize : 0;
        var activations = 2.0 * batchedTokens * width + logits;
        var budget = new VllmBudget
        {
            Stage = stage,
            Utilization = utilization,
            Weights = Placement.WeightBytes(request, stage),
            Activations = ByteRange.Around(activations, 0.6, 1.8),
            ActivationFormula = string.Create(CultureInfo.InvariantCulture, $"2 B x {batchedTokens} batched tokens x {width} values + 12 B x {sequences} sequences x {request.Model.VocabularySize} logits"),
            Graphs = options.EnforceEager ? null : engine.Line(PlanCategory.Overhead, "CUDA graphs", "graphs"),
            BlockTokens = blockTokens,
            BlockBytes = checked(perToken * blockTokens),
            NeededCache = checked((request.Context + blockTokens - 1) / blockTokens * blockTokens * perToken * request.Batch + state),
        };
        return request.DeviceBytes is { } device ? budget.WithPool(request, device, state) : budget;
    }

    public ByteRange CacheLine()
    {
        if (PoolBytes is not { } pool)
            return ByteRange.Exactly(NeededCache);
        return ByteRange.Exactly(Math.Max(pool, 0));
    }

    public string CacheFormula(InferenceRequest request)
    {
        var culture = CultureInfo.InvariantCulture;
        var perToken = BlockTokens == 0 ? 0 : BlockBytes / BlockTokens;
        return PoolBytes is null
            ? string.Create(culture, $"{request.Batch} x {request.Context} tokens in blocks of {BlockTokens} x {perToken} B")
            : string.Create(culture, $"{new ByteSize(request.DeviceBytes!.Value)} x {Utilization:0.##} - weights - activations - libraries; {PoolTokens} tokens of {perToken} B");
    }

    private VllmBudget WithPool(InferenceRequest request, long device, long state)
    {
        var graphs = Graphs is { } line && request.Engine.Text("graphs_in_budget") == "yes" ? line.Bytes.Expected : 0;
        var rest = (long)(device * Utilization) - Weights - Activations.Expected - request.Engine.Bytes(NonTorchConstant(request)).Expected - graphs - state;
        var pool = BlockBytes == 0 || rest < 0 ? rest : rest / BlockBytes * BlockBytes;
        return this with { PoolBytes = pool };
    }
}
