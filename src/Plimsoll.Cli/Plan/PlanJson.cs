using System.Text.Json;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Speed;

namespace Plimsoll.Cli.Plan;

/// <summary>The plan for programs: schema <c>plimsoll.plan/1</c>.</summary>
internal static class PlanJson
{
    public static void Write(TextWriter output, PlanReport report) => JsonOutput.Write(output, "plimsoll.plan/1", json =>
    {
        WriteModel(json, report);
        WriteWorkload(json, report);
        WritePhases(json, report.Plan.Fullest);
        WritePeak(json, report.Plan);
        WriteTotals(json, report.Plan.Fullest.PeakPhase);
        json.WriteArray("devices", report.Plan.Devices, device => WriteDevice(json, device));
        if (report.Plan.Host is { } host)
            WriteHost(json, host);
        WriteVerdict(json, report);
        if (report.WhatIf is { } whatIf)
            WriteLevers(json, whatIf);
        if (report.OtherGpu is { } other)
            json.WriteString("other_gpu", other.Gpu.Id);
        json.WriteStrings("notes", report.Plan.Notes);
        PlanLaunch.WriteJson(json, report);
        PlanCalibration.WriteJson(json, report.Calibration);
    });

    private static void WriteLevers(Utf8JsonWriter json, WhatIfResult whatIf)
    {
        json.WriteStartObject("what_if");
        json.WriteArray("levers", whatIf.Effects, effect =>
        {
            json.WriteStartObject();
            json.WriteString("action", effect.Action);
            json.WriteNumber("saves_bytes", effect.SavesBytes);
            json.WriteNumber("peak_bytes", effect.PeakBytes);
            if (effect.FitsAlone is { } fits)
                json.WriteBoolean("fits_alone", fits);
            json.WriteString("cost", effect.Cost);
            json.WriteEndObject();
        });
        json.WriteStrings("combination", whatIf.Combination);
        json.WriteBoolean("combination_fits", whatIf.CombinationFits);
        json.WriteNumber("combination_peak_bytes", whatIf.CombinationPeakBytes);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, PlanReport report)
    {
        var model = report.Model;
        json.WriteStartObject("model");
        json.WriteString("id", model.Id);
        json.WriteString("architecture", model.Architecture);
        json.WriteNumber("parameters", model.Parameters);
        json.WriteNumber("active_parameters", model.ActiveParameters);
        json.WriteNumber("layers", model.Layers.Length);
        if (model.MaxContext is { } context)
            json.WriteNumber("max_context", context);
        json.WriteString("source", model.Source);
        json.WriteEndObject();
    }

    private static void WriteWorkload(Utf8JsonWriter json, PlanReport report)
    {
        json.WriteStartObject("workload");
        if (report.Training is { } training)
            TrainingView.WriteWorkload(json, training, report.Plan);
        else
            WriteInference(json, report.Inference!);
        json.WriteEndObject();
    }

    private static void WriteInference(Utf8JsonWriter json, InferenceRequest request)
    {
        json.WriteString("kind", "inference");
        json.WriteString("precision", request.Weights.Precision);
        json.WriteNumber("bits_per_weight", request.Weights.BitsPerWeight);
        json.WriteString("kv_precision", request.KvFormat.ToString().ToLowerInvariant());
        json.WriteNumber("context", request.Context);
        json.WriteNumber("prompt", request.PromptTokens);
        json.WriteNumber("batch", request.Batch);
        json.WriteString("engine", request.Engine.Id);
        json.WriteString("engine_since", request.Engine.Since);
        json.WriteNumber("tensor_parallel", request.Parallel.Tensor);
        json.WriteNumber("pipeline_parallel", request.Parallel.Pipeline);
        json.WriteNumber("expert_parallel", request.Parallel.Expert);
    }

    private static void WritePhases(Utf8JsonWriter json, DevicePlan device) => json.WriteArray("phases", device.Phases, phase =>
    {
        json.WriteStartObject();
        json.WriteString("name", phase.Name);
        json.WriteNumber("total_bytes", phase.Total.Expected);
        json.WriteArray("lines", phase.Lines, line =>
        {
            json.WriteStartObject();
            json.WriteString("category", Category(line.Category));
            json.WriteString("name", line.Name);
            json.WriteNumber("bytes", line.Bytes.Expected);
            json.WriteNumber("low_bytes", line.Bytes.Low);
            json.WriteNumber("high_bytes", line.Bytes.High);
            json.WriteString("place", line.Place.ToString().ToLowerInvariant());
            json.WriteString("formula", line.Formula);
            json.WriteString("source", line.Source);
            json.WriteEndObject();
        });
        json.WriteEndObject();
    });

    private static void WritePeak(Utf8JsonWriter json, MemoryPlan plan)
    {
        json.WriteStartObject("peak");
        json.WriteString("phase", plan.Fullest.PeakPhase.Name);
        WriteRange(json, plan.Peak);
        json.WriteString("confidence", plan.Confidence.ToString().ToLowerInvariant());
        json.WriteEndObject();
    }

    private static void WriteTotals(Utf8JsonWriter json, PlanPhase peak)
    {
        json.WriteStartObject("totals");
        foreach (var category in Enum.GetValues<PlanCategory>())
            json.WriteNumber($"{Category(category)}_bytes", peak.Of(category).Expected);
        json.WriteEndObject();
    }

    private static void WriteDevice(Utf8JsonWriter json, DevicePlan device)
    {
        json.WriteStartObject();
        json.WriteString("name", device.Name);
        json.WriteString("peak_phase", device.PeakPhase.Name);
        WriteRange(json, device.Peak);
        json.WriteEndObject();
    }

    private static void WriteHost(Utf8JsonWriter json, DevicePlan host)
    {
        json.WriteStartObject("host");
        WriteRange(json, host.Peak);
        WritePhases(json, host);
        json.WriteEndObject();
    }

    private static void WriteVerdict(Utf8JsonWriter json, PlanReport report)
    {
        if (report.Device is { } device)
        {
            json.WriteStartObject("device");
            json.WriteString("name", device.Gpu.Name);
            json.WriteNumber("count", device.Count);
            json.WriteNumber("usable_bytes", report.UsableBytes!.Value);
            json.WriteEndObject();
            json.WriteBoolean("fits", report.Fits!.Value);
            json.WriteBoolean("fits_at_upper_bound", report.Fits.Value && !report.IsTight);
            json.WriteNumber("headroom_bytes", report.HeadroomBytes!.Value);
        }
        if (report.Plan.Impossible is { } reason)
            json.WriteString("impossible", reason);
        if (report.Plan.PoolTokens is { } tokens)
            json.WriteNumber("kv_pool_tokens", tokens);
        if (report.Limits is { } limits)
        {
            json.WriteStartObject("limits");
            json.WriteNumber("max_context", limits.MaxContext);
            json.WriteNumber("max_batch", limits.MaxBatch);
            json.WriteEndObject();
        }
        if (report.Decode is null && report.Prefill is null)
            return;
        json.WriteStartObject("speed");
        WriteSpeed(json, "decode_tokens_per_second", report.Decode);
        WriteSpeed(json, "prefill_tokens_per_second", report.Prefill);
        json.WriteEndObject();
    }

    private static void WriteSpeed(Utf8JsonWriter json, string name, SpeedEstimate? speed)
    {
        if (speed is null)
            return;
        json.WriteStartObject(name);
        json.WriteNumber("low", Math.Round(speed.Low, 2));
        json.WriteNumber("expected", Math.Round(speed.Expected, 2));
        json.WriteNumber("high", Math.Round(speed.High, 2));
        json.WriteEndObject();
    }

    private static void WriteRange(Utf8JsonWriter json, ByteRange range)
    {
        json.WriteNumber("total_bytes", range.Expected);
        json.WriteNumber("low_bytes", range.Low);
        json.WriteNumber("high_bytes", range.High);
    }

    private static string Category(PlanCategory category) => category == PlanCategory.KvCache ? "kv_cache" : category.ToString().ToLowerInvariant();
}
