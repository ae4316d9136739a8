using System.CommandLine;
using Plimsoll.Cli.Plan;
using Plimsoll.Models.Inspection;

namespace Plimsoll.Cli.Inspect;

/// <summary><c>plimsoll inspect</c>: what a checkpoint is, and whether its parts fit each other.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string> Target = new("PATH") { Description = "a checkpoint file, a folder with one or several, a config.json, or org/name on the hub" };
    private static readonly Option<bool> Tensors = new("--tensors") { Description = "list every tensor: name, type, shape, bytes, file" };
    private static readonly Option<bool> Metadata = new("--metadata") { Description = "list the key-values beside the tensors" };
    private static readonly Option<bool> Check = new("--check") { Description = "read the weights too, exit with 1 when problems are found, and say what was checked" };
    private static readonly Option<string?> Against = new("--against") { Description = "with --check: a checkpoint of the same model to compare the weights with" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "inspect",
            """
            What a checkpoint is: architecture, exact parameter count, bytes per type and part, quantization, tokenizer. Only headers are read,
            whatever its size, but with --check the weights too; of a model on the hub only headers are fetched.

            Examples:
              plimsoll inspect llama-3.1-8b-q4_k_m.gguf
              plimsoll inspect ./my-model --check
              plimsoll inspect ./my-model-gptq --check --against ./my-model
              plimsoll inspect ~/models
              plimsoll inspect Qwen/Qwen3-8B --tensors
              plimsoll inspect model.gguf --metadata --json
            """)
        {
            Target, Tensors, Metadata, Check, Against, PlanOptions.Offline,
        };
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var target = parsed.GetValue(Target)!;
        if (parsed.GetValue(Against) is not null && !parsed.GetValue(Check))
            throw CliException.WrongUsage("--against goes with --check", "plimsoll inspect PATH --check --against REFERENCE");
        var report = Read(target, parsed, environment) with
        {
            ShowTensors = parsed.GetValue(Tensors),
            ShowMetadata = parsed.GetValue(Metadata),
            IsCheck = parsed.GetValue(Check),
        };
        if (report.IsCheck)
            report = InspectWeights.Check(report, Reference(parsed), parsed, environment);
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            InspectJson.Write(terminal.Out, report);
        else
            InspectTable.Write(terminal, report);
        if (report.IsCheck && parsed.GetValue(GlobalOptions.Verbose))
        {
            foreach (var (name, summary) in report.Checks)
                terminal.Error.WriteLine($"plimsoll: checked {summary} ({name})");
        }
        foreach (var failure in report.Failures)
            terminal.Error.WriteLine($"plimsoll: {failure.Message}");
        return !report.Failures.IsEmpty ? ExitCode.BadInput : report is { IsCheck: true, HasProblems: true } ? ExitCode.No : ExitCode.Yes;
    }

    /// <summary>What <c>--against</c> names, which must be here to be read.</summary>
    private static CheckpointInspection? Reference(ParseResult parsed)
    {
        if (parsed.GetValue(Against) is not { } path)
            return null;
        var reference = File.Exists(path) || Directory.Exists(path) ? CheckpointInspector.Inspect(path) : throw CliException.BadInput($"{path}: no such file or folder", "--against takes a checkpoint on this machine");
        return reference.Checkpoint is null ? throw CliException.BadInput($"{path} is a configuration without weights, and --against compares weights") : reference;
    }

    private static InspectReport Read(string target, ParseResult parsed, CliEnvironment environment)
    {
        if (Directory.Exists(target))
            return InspectFolder.Read(target);
        if (File.Exists(target))
            return new() { Target = target, Inspections = [CheckpointInspector.Inspect(target)] };
        if (!ModelChoice.LooksLikePath(target) && target.Count(character => character == '/') == 1)
            return new() { Target = target, Inspections = [InspectRemote.Read(target, parsed, environment)] };
        throw CliException.BadInput($"{target}: no such file or folder", ModelChoice.LooksLikePath(target) ? null : "a model on the hub is org/name; 'plimsoll models' lists the catalog");
    }
}
