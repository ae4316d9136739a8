using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>vLLM: a fixed share of the card; what weights, activations and graphs leave becomes the pool of the KV cache.</summary>
internal sealed class VllmPlanner : IEnginePlanner
{
    public MemoryPlan Plan(InferenceRequest request)
    {
        var stages = Placement.Stages(request.Model.Layers.Length, request.Parallel.Pipeline);
        var budgets = stages.Select(stage => VllmBudget.Create(request, stage)).ToList();
        var smallest = budgets.MinBy(budget => budget.PoolTokens ?? long.MaxValue)!;
        return new()
        {
            Devices = [.. stages.Zip(budgets, (stage, budget) => new DevicePlan(PlanNotes.DeviceName(stage.Index, stages.Length, request.Parallel.Tensor), Phases(request, budget)))],
            Confidence = (Confidence)Math.Min((int)PlanNotes.Confidence(request), request.Model.Layers.Any(layer => layer.Recurrent is not null) ? (int)Confidence.Medium : (int)Confidence.High),
            Notes = [.. PlanNotes.Common(request), .. Notes(request, smallest)],
            Impossible = Problem(request, smallest),
            PoolTokens = smallest.PoolTokens,
        };
    }

    private static ImmutableArray<PlanPhase> Phases(InferenceRequest request, VllmBudget budget)
    {
        var weights = new PlanLine(PlanCategory.Weights, "weights", ByteRange.Exactly(budget.Weights), PlanNotes.WeightFormula(request, budget.Stage, request.Parallel.Pipeline), PlanNotes.WeightSource(request));
        var nonTorch = request.Engine.Line(PlanCategory.Overhead, "CUDA context and libraries", VllmBudget.NonTorchConstant(request), MemoryPlace.Driver);
        var activations = new PlanLine(PlanCategory.Activations, "activation peak", budget.Activations, budget.ActivationFormula, "measured by vLLM at start with a batch of max_num_batched_tokens; two logged 16-bit models within 1 %, one GPTQ model 40 % higher");
        var cache = new PlanLine(PlanCategory.KvCache, budget.PoolBytes is null ? "KV cache" : "KV cache pool", budget.CacheLine(), budget.CacheFormula(request), "pool = total x utilization - everything else, in whole blocks");
        ImmutableArray<PlanLine> lines = [weights, cache, activations, nonTorch];
        if (budget.Graphs is { } graphs)
            lines = lines.Add(graphs);
        return [new("load", [weights, nonTorch]), new("prefill", lines), new("decode", lines)];
    }

    private static string? Problem(InferenceRequest request, VllmBudget budget)
    {
        if (budget.PoolTokens is not { } tokens || tokens >= request.Context)
            return null;
        var culture = CultureInfo.InvariantCulture;
        return tokens <= 0
            ? string.Create(culture, $"vLLM will not start: at utilization {budget.Utilization:0.##} nothing is left for the KV cache after weights, activations and libraries (short of {new ByteSize(-budget.PoolBytes!.Value)})")
            : string.Create(culture, $"vLLM will not start with max_model_len {request.Context}: the pool holds {tokens} tokens; set --max-model-len {tokens} or raise --gpu-memory-utilization above {budget.Utilization:0.##}");
    }

    private static IEnumerable<string> Notes(InferenceRequest request, VllmBudget budget)
    {
        if (budget.PoolTokens is not { } tokens || tokens < request.Context)
            yield break;
        yield return string.Create(CultureInfo.InvariantCulture, $"the pool holds {tokens} tokens: {(double)tokens / request.Context:0.0} sequences of {request.Context}");
        if (tokens < request.Context * request.Batch)
            yield return string.Create(CultureInfo.InvariantCulture, $"{request.Batch} full sequences do not fit at once; vLLM will preempt and recompute some of them");
    }
}
