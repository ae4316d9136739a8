using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Plimsoll.Models;
using Plimsoll.Planning.Launch;
using Spectre.Console;

namespace Plimsoll.Cli.Plan;

/// <summary><c>plan --emit TARGET</c>: the commands and files that start what was planned.</summary>
internal static class PlanLaunch
{
    private static readonly Option<string[]> Emit = new("--emit")
    {
        Description = $"write what starts the run: {string.Join(", ", Launcher.Names)}; several may be given",
        AllowMultipleArgumentsPerToken = false,
    };

    private static readonly Option<int?> GpusPerNode = OptionValues.Count("--gpus-per-node", "with --emit: GPUs of one machine, 8 unless given", maximum: 1024);
    private static readonly Option<string?> Image = new("--image") { Description = "with --emit kubernetes: the container image" };

    static PlanLaunch() => Emit.Validators.Add(RefuseUnknown);

    public static IEnumerable<Option> Options => [Emit, GpusPerNode, Image];

    /// <summary>The engine that the first target starts, for plans that name none; null without <c>--emit</c>.</summary>
    public static string? Engine(ParseResult parsed) => Targets(parsed).Select(Launcher.EngineOf).FirstOrDefault(engine => engine is not null);

    /// <summary>One configuration per target, in the order they were asked for. None is written for a plan that does not fit.</summary>
    public static IReadOnlyList<LaunchConfiguration> Create(ParseResult parsed, LocatedModel located, PlanReport report)
    {
        var targets = Targets(parsed);
        if (targets.Count == 0)
        {
            RefuseAlone(parsed);
            return [];
        }
        if (report.Fits == false)
            return [];
        if (parsed.GetValue(PlanOptions.Draft) is not null)
            throw CliException.WrongUsage("--emit writes no command for a draft model yet", "leave --draft out, and add the engine's own option for it");
        var model = ModelOf(parsed, located, report);
        var gpusPerNode = parsed.GetValue(GpusPerNode) ?? LaunchRequest.DefaultGpusPerNode;
        try
        {
            if (report.Training is { } training)
            {
                var run = new TrainingLaunch { Request = training, Plan = report.Plan, Device = report.Device, Model = model, GpusPerNode = gpusPerNode };
                return [.. targets.Select(target => Launcher.Create(target, run))];
            }
            var launch = new LaunchRequest { Request = report.Inference!, Plan = report.Plan, Device = report.Device, Model = model, GpusPerNode = gpusPerNode, Image = parsed.GetValue(Image) };
            return [.. targets.Select(target => Launcher.Create(target, launch))];
        }
        catch (LaunchRefusedException refused)
        {
            throw CliException.WrongUsage(refused.Message, refused.Hint);
        }
    }

    /// <summary>The texts below the table, each under its file name; why there are none goes to the talk.</summary>
    public static void Write(Terminal terminal, ParseResult parsed, PlanReport report)
    {
        foreach (var launch in report.Launch)
        {
            terminal.Out.WriteLine();
            terminal.Rich.MarkupLineInterpolated($"[bold]{launch.File}[/]");
            // JSON has no comments; what the other files say at their top stands above it.
            if (launch.File.EndsWith(".json", StringComparison.Ordinal))
                terminal.Out.Write(string.Concat(launch.Notes.Select(note => $"# {note}\n")));
            terminal.Out.Write(launch.Text);
        }
        WarnIfNone(terminal, parsed, report);
    }

    public static void WriteJson(Utf8JsonWriter json, PlanReport report)
    {
        if (report.Launch.Count == 0)
            return;
        json.WriteArray("launch", report.Launch, launch =>
        {
            json.WriteStartObject();
            json.WriteString("engine", launch.Engine);
            json.WriteString("file", launch.File);
            json.WriteString("command", launch.Command);
            json.WriteString("text", launch.Text);
            json.WriteStrings("notes", launch.Notes);
            json.WriteEndObject();
        });
    }

    public static void WarnIfNone(Terminal terminal, ParseResult parsed, PlanReport report)
    {
        if (Targets(parsed).Count > 0 && report.Launch.Count == 0)
            terminal.Error.WriteLine($"plimsoll: nothing is written for --emit {string.Join(", ", Targets(parsed))}: the plan does not fit; change --context, --batch, --precision or --gpu first");
    }

    private static List<string> Targets(ParseResult parsed) => [.. (parsed.GetValue(Emit) ?? []).Select(name => name.ToLowerInvariant()).Distinct()];

    private static LaunchModel ModelOf(ParseResult parsed, LocatedModel located, PlanReport report)
    {
        var name = parsed.GetValue(PlanCommand.Model)!;
        // Without --precision the plan is of the weights as they are stored.
        var stored = parsed.GetValue(PlanOptions.Precision) is null && report.Inference is { } inference ? inference.Weights.Precision : located.StoredPrecision;
        return ModelOf(name, located, stored);
    }

    /// <summary>How a launch command names the model: a repository on the hub, a file or a folder.</summary>
    public static LaunchModel ModelOf(string name, LocatedModel located, string? stored)
    {
        if (!File.Exists(name) && !Directory.Exists(name))
            return located.Shape.Source is "catalog" or "bare size"
                ? LaunchModel.OnHub(located.Shape, stored)
                : new() { Reference = name, IsOnHub = true, IsGguf = located.IsGguf, StoredPrecision = stored };
        // llama.cpp opens the first file of a split checkpoint; the others open the folder.
        var path = located.IsGguf ? located.Checkpoint!.Files[0] : File.Exists(name) ? Path.GetDirectoryName(name) is { Length: > 0 } folder ? folder : "." : name;
        return new() { Reference = path, IsGguf = located.IsGguf, StoredPrecision = stored };
    }

    private static void RefuseUnknown(OptionResult result)
    {
        foreach (var token in result.Tokens.Where(token => !Launcher.Names.Contains(token.Value.ToLowerInvariant())))
            result.AddError($"--emit takes {string.Join(", ", Launcher.Names)}, not '{token.Value}'.");
    }

    private static void RefuseAlone(ParseResult parsed)
    {
        Option[] options = [GpusPerNode, Image];
        if (options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } alone)
            throw CliException.WrongUsage($"{alone.Name} belongs to --emit, which is not given", $"add --emit with one of {string.Join(", ", Launcher.Names)}");
    }
}
