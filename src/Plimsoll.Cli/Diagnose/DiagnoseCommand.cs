using System.CommandLine;
using Plimsoll.Cli.Diagnose.Snapshots;
using Plimsoll.Cli.Plan;

namespace Plimsoll.Cli.Diagnose;

/// <summary><c>plimsoll diagnose FILE…</c>: why memory ran out, by how much, and what to do about it.</summary>
internal static class DiagnoseCommand
{
    internal static readonly Argument<string[]> Files = new("FILE") { Description = "logs (- reads standard input), or a CUDA memory snapshot", Arity = ArgumentArity.ZeroOrMore };
    internal static readonly Option<string?> Model = new("--model", "-m") { Description = "the model that ran, as in 'plimsoll plan': fixes are then computed in bytes" };
    internal static readonly Option<bool> Rules = new("--rules") { Description = "list everything that is looked for, with what it rests on" };
    internal static readonly Option<string?> For = new("--for") { Description = "what ran: inference, training, lora or qlora; default: what the log says" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "diagnose",
            """
            Why memory ran out: the cause, the exact shortage and what to do about it, from the log of PyTorch, vLLM, SGLang, TGI, llama.cpp, ollama,
            TensorFlow, JAX, ONNX Runtime, CuPy, other frameworks, or the operating system. With --model the fixes are planned, each with the bytes it saves. Memory over time (tables of nvidia-smi,
            gpustat and nvitop, exporter metrics, profiler traces, training logs, two columns) is told apart: leak, growth, warm-up, sawtooth, flat.
            Of a CUDA memory snapshot: who held memory when it ran out, and how the allocator's memory is divided.

            Examples:
              plimsoll diagnose train.log
              python train.py 2>&1 | plimsoll diagnose -
              plimsoll diagnose train.log --model llama-3.1-8b --for lora --batch 8 --context 4096
              nvidia-smi --query-gpu=timestamp,index,memory.used,memory.total --format=csv -l 1 -f gpu.csv; plimsoll diagnose gpu.csv
              plimsoll diagnose rank0.log rank1.log --json
              plimsoll diagnose snapshot.pickle --html snapshot.html --redact
              plimsoll diagnose after.pickle --diff before.pickle
              plimsoll diagnose --rules
            """)
        {
            Files, Model, For, Rules, DiagnoseGrowth.Ceiling, DiagnoseSnapshot.Diff, DiagnoseSnapshot.Svg, DiagnoseSnapshot.Html, DiagnoseSnapshot.Redact,
        };
        For.AcceptOnlyFromAmong("inference", "training", "lora", "qlora");
        foreach (var option in PlanOptions.All.Where(option => option != PlanOptions.Draft).Concat(TrainingOptions.All))
            command.Options.Add(option);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    /// <summary>What a file is its content decides, never its name; every kind has a class of its own.</summary>
    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        if (parsed.GetValue(Rules))
            return DiagnoseRules.Run(parsed, environment);
        var files = parsed.GetValue(Files)!;
        if (files.Length == 0)
            throw CliException.WrongUsage("nothing to diagnose: name a log, a snapshot or a series, or - for standard input");
        return InputKinds.Of(files) switch
        {
            InputKind.Snapshot => DiagnoseSnapshot.Run(parsed, environment, files),
            InputKind.Log => DiagnoseLog.Run(parsed, environment, files),
            var unknown => throw new InvalidOperationException($"no diagnosis for {unknown}"),
        };
    }
}
