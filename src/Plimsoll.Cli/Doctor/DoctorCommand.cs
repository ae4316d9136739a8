using System.Collections.Immutable;
using System.CommandLine;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Diagnostics.Hardware;
using Spectre.Console;

namespace Plimsoll.Cli.Doctor;

/// <summary><c>plimsoll doctor</c>: what this machine has, and what stands in the way.</summary>
internal static class DoctorCommand
{
    public const string Schema = "plimsoll.doctor/1";

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "doctor",
            """
            What this machine has and what stands in the way: GPUs with their memory, driver and processes, instructions of the processor, memory, disk,
            cache of the hub, and whether training's libtorch can be loaded. Each with a status, and a fix where one is needed. What the driver does not tell is said to be not available.

            Examples:
              plimsoll doctor
              plimsoll doctor --json
            """);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var facts = Gather(environment);
        var checks = MachineChecks.Of(facts);
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            DoctorJson.Write(terminal.Out, facts, checks);
        else
            WriteTable(terminal, checks);
        return checks.Any(check => check.Status == CheckStatus.Failed) ? ExitCode.No : ExitCode.Yes;
    }

    private static MachineFacts Gather(CliEnvironment environment)
    {
        var cache = HubSettings.FromEnvironment(environment.Variable, environment.Home).Cache;
        return new(environment.Gpus(), environment.Processors, Features(), environment.AvailableMemory(), HostMemory.Total(), cache, Directory.Exists(cache), HostMemory.FreeDisk(cache))
        {
            HubCacheProblem = Problem(cache),
            Trainer = environment.Trainer(),
        };
    }

    /// <summary>Why a folder that is there cannot be used.</summary>
    private static string? Problem(string folder)
    {
        if (File.Exists(folder))
            return "it is a file";
        try
        {
            if (Directory.Exists(folder))
                Directory.EnumerateFileSystemEntries(folder).Any();
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure.Message;
        }
    }

    /// <summary>Instruction sets that the kernels on packed weights use.</summary>
    private static ImmutableArray<(string Name, bool Available)> Features() => AdvSimd.IsSupported
        ? [("AdvSimd", true), ("dot products", Dp.IsSupported)]
        : [("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("AVX-512F", Avx512F.IsSupported), ("AVX-512 VBMI", Avx512Vbmi.IsSupported), ("AVX-VNNI", AvxVnni.IsSupported)];

    private static void WriteTable(Terminal terminal, ImmutableArray<MachineCheck> checks)
    {
        foreach (var check in checks)
        {
            var (mark, color) = check.Status switch { CheckStatus.Ok => ("ok", "green"), CheckStatus.Warning => ("warning", "yellow"), _ => ("failed", "red") };
            terminal.Rich.MarkupLine($"[{color}]{mark,-8}[/] {Markup.Escape(check.Message)}");
            if (check.Fix is { } fix)
                terminal.Out.WriteLine($"         fix: {fix}");
            if (check.Fix is not null && check.Link is { } link)
                terminal.Out.WriteLine($"         see: {link}");
        }
    }
}
