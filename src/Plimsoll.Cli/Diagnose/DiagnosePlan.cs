using System.Collections.Immutable;
using System.CommandLine;
using Plimsoll.Cli.Gpus;
using Plimsoll.Cli.Plan;
using Plimsoll.Diagnostics;
using Plimsoll.Diagnostics.OutOfMemory;
using Plimsoll.Models;
using Plimsoll.Planning;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Training;

namespace Plimsoll.Cli.Diagnose;

/// <summary>Plans the run that failed, on the device that the message describes, and tries every lever.</summary>
internal static class DiagnosePlan
{
    private const int MostFixes = 8;

    public static PlannedRun? Create(ParseResult parsed, CliEnvironment environment, OutOfMemoryDiagnosis diagnosis)
    {
        if (parsed.GetValue(DiagnoseCommand.Model) is not { } name)
            return null;
        if (diagnosis.Case is not { } found)
            return null;
        var located = ModelChoice.Locate(name, parsed, environment);
        var total = found.Event.Ledger.Allowed ?? found.Event.Ledger.Total;
        var device = total is { Bytes: > 0 } bytes ? GpuChoice.Select($"{bytes.Bytes}B", UserCatalogs.Gpus(parsed.GetValue(PlanOptions.Catalog), environment)) : null;
        var kind = parsed.GetValue(DiagnoseCommand.For) ?? KindOf(found);
        return kind == "inference" ? Inference(parsed, environment, located, device, found) : Training(parsed, kind, located, device, found);
    }

    /// <summary>Frames of autograd or of an optimizer are of training; everything else may be inference.</summary>
    private static string KindOf(OutOfMemoryCase found) =>
        found.Phase is Phase.Backward or Phase.OptimizerStep or Phase.Loss
            ? found.Log.Flat.Contains("peft", StringComparison.OrdinalIgnoreCase) || found.Log.Flat.Contains("lora", StringComparison.OrdinalIgnoreCase) ? "lora" : "training"
            : "inference";

    private static PlannedRun Inference(ParseResult parsed, CliEnvironment environment, LocatedModel located, GpuSelection? device, OutOfMemoryCase found)
    {
        var usable = device?.Gpu.UsableMemory.Bytes;
        var engine = found.Event.Program switch { "vLLM" => "vllm", "llama.cpp" or "ollama" => "llama.cpp", _ => null };
        var request = PlanRequestBuilder.Build(parsed, environment, located, 1, usable, engine);
        var effects = WhatIf.Evaluate(request, InferenceLevers.For(request), InferencePlanner.Plan, usable is { } bytes ? changed => PlanLimits.Fits(changed, bytes) : null);
        return new(
            $"{request.Model.Id}, {request.Engine.Name}, {request.Weights.Precision}, {request.Context:N0} tokens x {request.Batch}",
            InferencePlanner.Plan(request), usable, Tensors(found, request.Model, request.Batch, request.Context), Fixes(effects), effects.Combination);
    }

    private static PlannedRun Training(ParseResult parsed, string kind, LocatedModel located, GpuSelection? device, OutOfMemoryCase found)
    {
        var usable = device?.Gpu.UsableMemory.Bytes;
        var request = TrainingRequestBuilder.Build(parsed, kind, located, device);
        if (parsed.GetValue(TrainingOptions.MicroBatch) is null && parsed.GetValue(PlanOptions.Batch) is null && found.Batch is { } batch)
            request = request with { MicroBatch = batch };
        var effects = WhatIf.Evaluate(request, TrainingLevers.For(request), TrainingPlanner.Plan, usable is { } bytes ? changed => TrainingLevers.Fits(changed, bytes) : null);
        return new(
            $"{request.Model.Id}, {kind}, {request.SequenceLength:N0} tokens x {request.MicroBatch}, {request.Optimizer.Name}",
            TrainingPlanner.Plan(request), usable, Tensors(found, request.Model, request.MicroBatch, request.SequenceLength), Fixes(effects), effects.Combination);
    }

    private static ImmutableArray<string> Tensors(OutOfMemoryCase found, ModelShape model, long batch, long length) =>
        found.Event.Ledger.Requested is { } requested ? [.. TensorFingerprint.Candidates(model, requested, batch, length)] : [];

    private static ImmutableArray<Fix> Fixes(WhatIfResult effects) =>
        [.. effects.Effects.Take(MostFixes).Select(effect => new Fix(effect.Action, effect.SavesBytes, effect.Cost, effect.FitsAlone))];
}
