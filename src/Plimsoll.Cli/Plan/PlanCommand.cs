using System.CommandLine;
using Plimsoll.Cli.Gpus;
using Plimsoll.Models;
using Plimsoll.Planning;
using Plimsoll.Planning.Calibration;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Speed;
using Plimsoll.Planning.Training;

namespace Plimsoll.Cli.Plan;

/// <summary><c>plimsoll plan MODEL</c>: where memory goes, and whether it fits.</summary>
internal static class PlanCommand
{
    internal static readonly Argument<string> Model = new("MODEL") { Description = "a folder, a .gguf or .safetensors file, a catalog name, org/name on the hub, or a size such as 7b" };
    private static readonly Option<string?> Gpu = new("--gpu", "-g") { Description = "rtx-4090, 2x rtx-3090, 24GiB, local" };
    private static readonly Option<string> For = new("--for") { Description = "what the memory is for", DefaultValueFactory = _ => "inference" };
    private static readonly Option<bool> What = new("--what-if") { Description = "every lever with the bytes it saves, and the least painful combination that fits" };
    private static readonly Option<bool> Explain = new("--explain") { Description = "show every formula with its numbers and source" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "plan",
            """
            Where memory goes, phase by phase; whether it fits a GPU; the largest context and batch that do; tokens per second.

            Examples:
              plimsoll plan llama-3.1-8b --gpu rtx-4090
              plimsoll plan 7b --precision int4
              plimsoll plan qwen3-30b-a3b -p q4_k_m --gpu "2x rtx-3090" --context 32k
              plimsoll plan llama-3.1-70b --engine vllm --gpu "4x h100" --parallel tp=4
              plimsoll plan llama-3.1-70b --gpu "4x h100" --emit vllm --emit kubernetes
              plimsoll plan ./model.gguf --gpu 12GiB --kv-precision q8_0 --explain
              plimsoll plan 7b --for training --optimizer adamw-bf16 --gpu "8x a100-80gb"
              plimsoll plan llama-3.1-8b --for qlora --rank 32 --lora-targets all-linear --checkpointing full --gpu rtx-4090 --emit axolotl
              plimsoll plan llama-3.1-8b --engine vllm --gpu h100 --calibrate server.log --save-profile
            """)
        {
            Model, Gpu, For, What, Explain,
        };
        For.AcceptOnlyFromAmong("inference", "training", "lora", "qlora");
        foreach (var option in PlanOptions.All.Concat(TrainingOptions.All).Concat(PlanLaunch.Options).Concat(PlanCalibration.Options))
            command.Options.Add(option);
        command.SetAction(parsed =>
        {
            var report = CreateReport(parsed, environment);
            var terminal = CliApplication.CreateTerminal(parsed, environment);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                PlanJson.Write(terminal.Out, report);
                PlanLaunch.WarnIfNone(terminal, parsed, report);
            }
            else
            {
                PlanTable.Write(terminal, report, parsed.GetValue(Explain));
                PlanLaunch.Write(terminal, parsed, report);
                PlanCalibration.Write(terminal, parsed, environment, report.Calibration);
            }
            return report.Fits == false ? ExitCode.No : ExitCode.Yes;
        });
        return command;
    }

    private static PlanReport CreateReport(ParseResult parsed, CliEnvironment environment)
    {
        var device = parsed.GetValue(Gpu) is { } gpu ? GpuChoice.Select(gpu, UserCatalogs.Gpus(parsed.GetValue(PlanOptions.Catalog), environment)) : null;
        var located = ModelChoice.Locate(parsed.GetValue(Model)!, parsed, environment);
        var kind = parsed.GetValue(For)!;
        var log = PlanCalibration.ReadLog(parsed);
        var report = kind == "inference" ? Inference(parsed, environment, located, device, log) : Training(parsed, kind, located, device);
        if (report is { WhatIf: not null, Fits: false })
            report = report with { OtherGpu = FindOtherGpu(report, UserCatalogs.Gpus(parsed.GetValue(PlanOptions.Catalog), environment)) };
        return report with { Calibration = PlanCalibration.Create(parsed, environment, report, log) };
    }

    private static GpuFit? FindOtherGpu(PlanReport report, GpuCatalog catalog)
    {
        var weights = (report.Inference?.Weights ?? report.Training!.Weights).Total;
        return catalog.All
            .Where(gpu => gpu.UsableMemory > weights)
            .OrderBy(gpu => gpu.LaunchPriceUsd?.Value ?? double.MaxValue)
            .Select(gpu => report.Inference is { } inference ? GpuSearch.Find(inference, gpu) : GpuSearch.Find(report.Training!, gpu))
            .FirstOrDefault(fit => fit.Count == 1);
    }

    private static PlanReport Training(ParseResult parsed, string kind, LocatedModel located, GpuSelection? device)
    {
        var request = TrainingRequestBuilder.Build(parsed, kind, located, device);
        var report = new PlanReport
        {
            Training = request,
            Plan = TrainingPlanner.Plan(request),
            Device = device,
            Limits = device is null ? null : TrainingLimits.Find(request, device.Gpu.UsableMemory.Bytes),
            WhatIf = parsed.GetValue(What) ? EvaluateLevers(request, device?.Gpu.UsableMemory.Bytes) : null,
        };
        return report with { Launch = PlanLaunch.Create(parsed, located, report) };
    }

    private static PlanReport Inference(ParseResult parsed, CliEnvironment environment, LocatedModel located, GpuSelection? device, EngineLog? log)
    {
        TrainingOptions.RefuseOutsideTraining(parsed);
        var request = PlanRequestBuilder.Build(parsed, environment, located, device?.Count ?? 1, device?.Gpu.UsableMemory.Bytes, PlanCalibration.Engine(log));
        var plan = InferencePlanner.Plan(request);
        if (parsed.GetValue(PlanOptions.Draft) is { } draftName)
        {
            var draft = ModelChoice.Locate(draftName, parsed, environment);
            var draftRequest = PlanRequestBuilder.Build(parsed, environment, draft, 1, null) with { Parallel = Parallelism.One };
            plan = DraftModel.Add(plan, InferencePlanner.Plan(draftRequest));
        }
        var report = new PlanReport
        {
            Inference = request,
            Plan = plan,
            Device = device,
            Limits = device is null ? null : PlanLimits.Find(request, device.Gpu.UsableMemory.Bytes),
            WhatIf = parsed.GetValue(What) ? EvaluateLevers(request) : null,
        };
        report = report with { Launch = PlanLaunch.Create(parsed, located, report) };
        if (request.Engine.Id == "plimsoll" && report.Fits != false)
            return WithCpuSpeed(report, request, environment);
        if (report.Fits != true)
            return report;
        // What does not run has no speed.
        var speed = PlanSpeed.Estimate(request, device);
        return report with { Decode = speed.Decode, Prefill = speed.Prefill, SpeedRefusal = speed.Reason };
    }

    /// <summary>Our own engine computes on this machine, whatever memory it is planned for: its speed is what <c>bench</c> has measured.</summary>
    private static PlanReport WithCpuSpeed(PlanReport report, InferenceRequest request, CliEnvironment environment) =>
        UserCatalogs.CpuProfile(environment) is { } profile
            ? report with { Decode = CpuSpeed.Decode(request, profile), Prefill = CpuSpeed.Prefill(request, profile) }
            : report with { SpeedRefusal = "the speed of this machine is not known: 'plimsoll bench' measures it" };

    private static WhatIfResult EvaluateLevers(TrainingRequest request, long? usable) => WhatIf.Evaluate(
        request,
        TrainingLevers.For(request),
        TrainingPlanner.Plan,
        usable is { } bytes ? changed => TrainingLevers.Fits(changed, bytes) : null);

    private static WhatIfResult EvaluateLevers(InferenceRequest request) => WhatIf.Evaluate(
        request,
        InferenceLevers.For(request),
        InferencePlanner.Plan,
        request.DeviceBytes is { } usable ? changed => PlanLimits.Fits(changed, usable) : null);
}
