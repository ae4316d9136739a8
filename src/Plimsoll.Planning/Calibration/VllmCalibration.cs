using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Calibration;

/// <summary>A plan of vLLM beside its start-up log: weights, activations and libraries of the fullest rank, the pool and its tokens.</summary>
internal static class VllmCalibration
{
    public static CalibrationDraft Compare(InferenceRequest request, MemoryPlan plan, EngineLog log)
    {
        var draft = new CalibrationDraft();
        var peak = plan.Fullest.PeakPhase;
        var weights = peak.Of(PlanCategory.Weights).Expected;
        // Ranks of a divided model pad vocabulary and heads.
        draft.AddLargest("weights", request.Parallel.Tensor == 1 ? ByteRange.Around(weights, 0.98, 1.03) : ByteRange.Around(weights, 0.97, 1.1), log.Of(LogTerm.Weights));
        draft.AddLargest("activation peak", peak.Of(PlanCategory.Activations), log.Of(LogTerm.ActivationPeak));
        AddPool(draft, plan, log);
        AddTokens(draft, request, log);
        var constant = VllmBudget.NonTorchConstant(request);
        draft.AddConstant("CUDA context and libraries", constant, request.Engine.Bytes(constant), log.Of(LogTerm.Context));
        if (!request.Vllm.EnforceEager)
            draft.AddConstant("CUDA graphs", "graphs", request.Engine.Bytes("graphs"), log.Of(LogTerm.Graphs));
        AddSettings(draft, request, log);
        return draft;
    }

    /// <summary>What the other lines take more or less, the pool gets less or more. Its size needs a card.</summary>
    private static void AddPool(CalibrationDraft draft, MemoryPlan plan, EngineLog log)
    {
        if (plan.PoolTokens is null)
            return;
        var peak = plan.Fullest.PeakPhase;
        var pool = peak.Of(PlanCategory.KvCache).Expected;
        var rest = peak.Sum(line => line.Category is PlanCategory.Activations or PlanCategory.Overhead && line.Name != "CUDA graphs");
        var bounds = new ByteRange(Math.Max(0, pool - (rest.High - rest.Expected)), pool, pool + (rest.Expected - rest.Low));
        if (log.Of(LogTerm.KvCache).MinBy(size => size.Bytes) is { } smallest)
            draft.AddLargest("KV cache pool", bounds, [smallest]);
    }

    /// <summary>Bytes that the logged number of tokens needs, against the logged size of the pool.</summary>
    private static void AddTokens(CalibrationDraft draft, InferenceRequest request, EngineLog log)
    {
        if (log.Of(LogTerm.KvCache).MinBy(size => size.Bytes) is not { } pool || Tokens(log) is not { } tokens)
            return;
        // In hybrid and sliding-window pools the printed tokens are those of one group of layers.
        if (request.Parallel.Pipeline > 1 || request.Model.Layers.Any(layer => layer.Recurrent is not null || layer.Attention is { Window: not null } or { SharesKeyValues: true }))
            return;
        var perToken = KvCache.BytesPerToken(request.Model.Layers, request.KvFormat, LatentCacheLayout.Compressed, request.Parallel.Tensor);
        draft.AddLargest(string.Create(CultureInfo.InvariantCulture, $"KV cache of {tokens:N0} tokens"), ByteRange.Around((double)tokens * perToken, 0.995, 1.005), [pool]);
    }

    public static long? Tokens(EngineLog log)
    {
        if (Count("kv_tokens") is { } tokens)
            return tokens;
        return Count("kv_blocks") is { } blocks ? blocks * (Count("block_size") ?? 16) : null;

        // More than 2^40 tokens is no pool but a misread number.
        long? Count(string name) => long.TryParse(log.Setting(name), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and < 1L << 40 ? count : null;
    }

    private static void AddSettings(CalibrationDraft draft, InferenceRequest request, EngineLog log)
    {
        draft.CompareCount("max_model_len", log.Setting("max_model_len"), request.Context, "--context");
        draft.CompareCount("tensor_parallel_size", log.Setting("tp"), request.Parallel.Tensor, "--parallel tp=N with N =");
        draft.CompareCount("max_num_batched_tokens", log.Setting("max_num_batched_tokens"), request.Vllm.MaxBatchedTokens ?? (long)request.Engine.Number("max_batched_tokens"), "--max-batched-tokens");
        draft.CompareCount("max_num_seqs", log.Setting("max_num_seqs"), request.Vllm.MaxSequences ?? (long)request.Engine.Number("max_sequences"), "--max-sequences");
        if (log.Setting("enforce_eager") is "True" && !request.Vllm.EnforceEager)
            draft.AddFinding("the log ran without CUDA graphs, the plan with them: add --enforce-eager");
        var planned = request.Vllm.Utilization ?? request.Engine.Number("utilization");
        if (double.TryParse(log.Setting("gpu_memory_utilization"), NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && Math.Abs(share - planned) > 0.005)
            draft.AddFinding(string.Create(CultureInfo.InvariantCulture, $"the log ran with gpu_memory_utilization {share:0.##}, the plan has {planned:0.##}: add --utilization {share:0.##}"));
        if (log.Setting("kv_cache_dtype") is { } type && NumberFormats.Find(type) is { } format && format != request.KvFormat.Key)
            draft.AddFinding($"the log ran with a KV cache of {type}, the plan has {request.KvFormat}: add --kv-precision {type}");
    }
}
