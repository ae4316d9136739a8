using System.CommandLine;
using Plimsoll.Cli.Gpus;
using Plimsoll.Cli.Plan;
using Plimsoll.Models;
using Plimsoll.Models.Demo;
using Plimsoll.Numerics;
using Plimsoll.Planning;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Launch;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Cli.Fit;

/// <summary><c>plimsoll fit MODEL --gpu GPU</c>: the precision and the settings to take, and for weights that are here the file itself.</summary>
internal static class FitCommand
{
    private static readonly Argument<string> Model = new("MODEL") { Description = "as in 'plimsoll plan', or demo" };
    private static readonly Option<string?> Gpu = new("--gpu", "-g") { Description = "rtx-4090, 2x rtx-3090, 24GiB, local" };
    private static readonly Option<string?> Memory = new("--memory") { Description = "a memory size instead of a GPU: 12GiB" };
    private static readonly Option<string?> Text = new("--text") { Description = "for weights on this machine: write the candidates and measure them on this text", HelpName = "FILE" };
    private static readonly Option<string?> Calibration = new("--calibration") { Description = "with --text: GGUF candidates also with GPTQ's error feedback, learnt from this text, or self", HelpName = "FILE" };
    private static readonly Option<string?> Out = new("--output", "-o") { Description = "with --text: write the chosen one here", HelpName = "OUT" };
    internal static readonly Option<bool> Force = new("--force") { Description = "replace what is under the output's name" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "fit",
            """
            Chooses precision and settings that fit: best quality first, then the longest context. Says what every other candidate would have needed.
            Options that you give are kept as they are. Of weights that are on this machine it writes the candidates, runs them over a text, and
            takes the one with the least divergence from the original.

            Examples:
              plimsoll fit demo --memory 1MiB
              plimsoll fit llama-3.1-8b --gpu rtx-4060
              plimsoll fit ./Qwen3-0.6B --gpu 1GiB --text sample.txt -o qwen3-0.6b.gguf
              plimsoll fit llama-3.1-70b --gpu "2x a100-80gb" --engine vllm
              plimsoll fit qwen3-30b-a3b --memory 12GiB --json
            """)
        {
            Model, Gpu, Memory, Text, Calibration, Out, Force,
        };
        foreach (var option in PlanOptions.All.Where(option => option != PlanOptions.Draft))
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var name = parsed.GetValue(Model)!;
        var device = Device(parsed, environment);
        var located = ModelChoice.Locate(name, parsed, environment);
        var source = Source(name, located, environment);
        var locks = new FitLocks
        {
            // A GGUF file is what it is; a Hugging Face checkpoint can be quantized to anything.
            Precision = parsed.GetValue(PlanOptions.Precision) is not null || located.IsGguf,
            KvPrecision = parsed.GetValue(PlanOptions.KvPrecision) is not null,
            Context = parsed.GetValue(PlanOptions.Context) is not null,
        };
        var usable = device.Gpu.UsableMemory.Bytes;
        var request = PlanRequestBuilder.Build(parsed, environment, located, device.Count, usable, defaultEngine: source is { IsDemo: true } ? "plimsoll" : "llama.cpp");
        var overhead = Overhead(request);
        var result = FitSolver.Solve(request, locks, checked(usable + overhead));
        var launch = result.Chosen is { } chosen ? Launch(chosen.Request, PlanLaunch.ModelOf(name, located, located.StoredPrecision), device) : null;
        var report = new FitReport(request, device, overhead, result, launch, Measure(parsed, environment, source, located, result, Plan));
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            FitJson.Write(terminal.Out, report);
        else if (report.Measured is { } measured)
            FitMeasuredTable.Write(terminal, report, measured);
        else
            FitTable.Write(terminal, report);
        return (report.Measured is { } run ? run.Chosen is null : result.Chosen is null) ? ExitCode.No : ExitCode.Yes;

        FitCandidate? Plan(string precision) => PrecisionScheme.Find(precision) is { } scheme
            ? FitSolver.Solve(request with { Weights = scheme.Apply(request.Model) }, locks with { Precision = true }, checked(usable + overhead)).Candidates.Single()
            : null;
    }

    /// <summary>The weights that the name stands for, and the text that comes with them; null for a description alone.</summary>
    private static (string Path, bool IsDemo)? Source(string name, LocatedModel located, CliEnvironment environment) =>
        located.Checkpoint is null || located.IsGguf ? null
        : LocalModel.IsDemo(name) ? (LocalModel.Demo(environment), true)
        : File.Exists(name) || Directory.Exists(name) ? (name, false)
        : null;

    private static FitMeasurement? Measure(ParseResult parsed, CliEnvironment environment, (string Path, bool IsDemo)? source, LocatedModel located, FitResult result, Func<string, FitCandidate?> plan)
    {
        var (text, output) = (parsed.GetValue(Text), parsed.GetValue(Out));
        if (source is not { } weights)
        {
            return text is null && output is null ? null : throw CliException.WrongUsage(
                "--text and -o are for weights that are on this machine and can be quantized",
                "name a folder with config.json and safetensors; 'plimsoll quantize' takes GGUF files");
        }
        if (text is null && !weights.IsDemo)
        {
            return output is null ? null : throw CliException.WrongUsage(
                "-o writes the candidate that was measured best, and there is no text to measure on",
                "--text FILE with some pages of the kind of text that the model is for; or 'plimsoll quantize' without measuring");
        }
        if (output is not null && !parsed.GetValue(Force) && (File.Exists(output) || Directory.Exists(output)))
            throw CliException.WrongUsage($"{output} exists", "--force replaces it");
        using var measurer = new FitMeasurer(parsed, environment, weights.Path, located, text ?? Path.Combine(weights.Path, DemoModel.EvaluationText),
            parsed.GetValue(Calibration) ?? (weights.IsDemo ? Path.Combine(weights.Path, DemoModel.CalibrationText) : null));
        return measurer.Run(result, plan, text ?? "stories that it has not learnt", output);
    }

    /// <summary>Our own engine is a process on the host: a budget is for the model in it, and what the program takes besides is said apart.</summary>
    private static long Overhead(InferenceRequest request) =>
        request.Engine.Id == "plimsoll" ? InferencePlanner.Plan(request).Fullest.PeakPhase.Of(PlanCategory.Overhead).Expected : 0;

    private static LaunchConfiguration? Launch(InferenceRequest request, LaunchModel model, GpuSelection device)
    {
        if (Launcher.InferenceNames.FirstOrDefault(name => Launcher.EngineOf(name) == request.Engine.Id) is not { } target)
            return null;
        try
        {
            return Launcher.Create(target, new LaunchRequest { Request = request, Plan = InferencePlanner.Plan(request), Model = model, Device = device });
        }
        catch (LaunchRefusedException)
        {
            // The choice stands; only its command line cannot be written.
            return null;
        }
    }

    private static GpuSelection Device(ParseResult parsed, CliEnvironment environment)
    {
        var (gpu, memory) = (parsed.GetValue(Gpu), parsed.GetValue(Memory));
        if (gpu is null == memory is null)
            throw CliException.WrongUsage("fit needs either --gpu or --memory", "for example --gpu rtx-4090, or --memory 24GiB");
        if (memory is not null && !(ByteSize.TryParse(memory, out var size) && size > ByteSize.Zero))
            throw CliException.WrongUsage($"--memory takes a size such as 12GiB, not '{memory}'");
        return GpuChoice.Select(gpu ?? memory!, UserCatalogs.Gpus(parsed.GetValue(PlanOptions.Catalog), environment));
    }
}
