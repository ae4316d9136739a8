using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Training;

/// <summary>Predicts the memory of a training run, phase by phase: load, forward, backward, optimizer step.</summary>
public static class TrainingPlanner
{
    /// <exception cref="TrainingConflictException">The request contradicts itself or the model.</exception>
    /// <exception cref="OverflowException">The request is so large that its bytes do not fit 64 bits.</exception>
    public static MemoryPlan Plan(TrainingRequest request)
    {
        TrainingChecks.Check(request);
        var targets = request.Adapter is { } adapter ? AdapterPlacement.Resolve(request.Model, adapter) : [];
        var activations = new ActivationModel(request, targets);
        var stages = Placement.Stages(request.Model.Layers.Length, request.Parallel.Pipeline);
        var perStage = request.Parallel.Data * request.Parallel.Tensor;
        var ranks = stages.Select(stage => new TrainingRank(request, new(request, targets, stage), activations)).ToList();
        return new()
        {
            Devices = [.. ranks.Select((rank, index) => new DevicePlan(PlanNotes.DeviceName(index, stages.Length, perStage), rank.Phases()))],
            Host = HostPlan(ranks, perStage),
            Confidence = Confidence(request),
            Notes = [.. Notes(request, targets)],
        };
    }

    /// <summary>Everything that lives in ordinary memory, of all ranks together.</summary>
    private static DevicePlan? HostPlan(List<TrainingRank> ranks, int perStage)
    {
        var lines = ranks
            .SelectMany(rank => rank.HostLines())
            .GroupBy(line => line.Name)
            .Select(group => group.First() with { Bytes = group.Aggregate(default(ByteRange), (sum, line) => sum + line.Bytes) * perStage })
            .ToImmutableArray();
        return lines.IsEmpty ? null : new("host memory, all ranks", [new("training", lines)]);
    }

    private static Confidence Confidence(TrainingRequest request)
    {
        var hard = request.Model.Layers.Any(layer => layer.Recurrent is not null || layer.FeedForward?.Experts is not null)
            || request.Parallel.Devices > 1
            || request.Adapter?.Parameters is not null;
        return (Confidence)Math.Min(Math.Min((int)request.Model.Confidence, (int)request.Weights.Confidence), (int)(hard ? Models.Confidence.Medium : Models.Confidence.High));
    }

    private static IEnumerable<string> Notes(TrainingRequest request, ImmutableArray<AdapterTarget> targets)
    {
        var culture = CultureInfo.InvariantCulture;
        foreach (var note in request.Model.Notes)
            yield return note;
        foreach (var note in request.Weights.Notes)
            yield return note;
        if (request.Adapter is { } adapter)
        {
            var parameters = AdapterPlacement.Parameters(request.Model, adapter);
            var modules = string.Join(", ", targets.Select(target => AdapterPlacement.ModuleName(target.Tensor)).Distinct().Order());
            yield return string.Create(culture, $"{parameters:N0} trainable parameters ({100.0 * parameters / request.Model.Parameters:0.###} %): rank {adapter.Rank} on {modules}");
        }
        yield return string.Create(culture, $"the longest sample decides, not the mean: {request.SequenceLength:N0} tokens x {request.MicroBatch} in a micro-batch");
        if (request.Model.MaxContext is { } longest && request.SequenceLength > longest)
            yield return string.Create(culture, $"the model was made for {longest} tokens; {request.SequenceLength} is beyond that");
        if (request.Method == TrainingMethod.Full && request is { MasterWeights: false, Compute: not ComputeType.Fp32 })
            yield return "16-bit weights without FP32 master copies lose small updates; stochastic rounding or a high learning rate is needed";
        if (!request.FlashAttention)
            yield return "eager attention keeps the scores of every head: memory grows with the square of the sequence";
    }
}
