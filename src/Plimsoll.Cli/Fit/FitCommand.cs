using System.CommandLine;
using Plimsoll.Cli.Gpus;
using Plimsoll.Cli.Plan;
using Plimsoll.Numerics;
using Plimsoll.Planning;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Launch;

namespace Plimsoll.Cli.Fit;

/// <summary><c>plimsoll fit MODEL --gpu GPU</c>: the precision and the settings to take.</summary>
internal static class FitCommand
{
    private static readonly Argument<string> Model = new("MODEL") { Description = "as in 'plimsoll plan'" };
    private static readonly Option<string?> Gpu = new("--gpu", "-g") { Description = "rtx-4090, 2x rtx-3090, 24GiB, local" };
    private static readonly Option<string?> Memory = new("--memory") { Description = "a memory size instead of a GPU: 12GiB" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "fit",
            """
            Chooses precision and settings that fit: best expected quality first, then the longest context. Says what every other candidate
            would have needed. Options that you give are kept as they are.

            Examples:
              plimsoll fit llama-3.1-8b --gpu rtx-4060
              plimsoll fit qwen3-32b --gpu rtx-4090 --context 32k
              plimsoll fit llama-3.1-70b --gpu "2x a100-80gb" --engine vllm
              plimsoll fit qwen3-30b-a3b --memory 12GiB --json
            """)
        {
            Model, Gpu, Memory,
        };
        foreach (var option in PlanOptions.All.Where(option => option != PlanOptions.Draft))
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var device = Device(parsed, environment);
        var located = ModelChoice.Locate(parsed.GetValue(Model)!, parsed, environment);
        var locks = new FitLocks
        {
            // A GGUF file is what it is; a Hugging Face checkpoint can be quantized to anything.
            Precision = parsed.GetValue(PlanOptions.Precision) is not null || located.IsGguf,
            KvPrecision = parsed.GetValue(PlanOptions.KvPrecision) is not null,
            Context = parsed.GetValue(PlanOptions.Context) is not null,
        };
        var usable = device.Gpu.UsableMemory.Bytes;
        var request = PlanRequestBuilder.Build(parsed, environment, located, device.Count, usable, defaultEngine: "llama.cpp");
        var result = FitSolver.Solve(request, locks, usable);
        var launch = result.Chosen is { } chosen ? Launch(chosen.Request, PlanLaunch.ModelOf(parsed.GetValue(Model)!, located, located.StoredPrecision), device) : null;
        var report = new FitReport(request, device, result, launch);
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            FitJson.Write(terminal.Out, report);
        else
            FitTable.Write(terminal, report);
        return report.Result.Chosen is null ? ExitCode.No : ExitCode.Yes;
    }

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
