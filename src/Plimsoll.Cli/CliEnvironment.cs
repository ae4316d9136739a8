using Plimsoll.Cli.Doctor;
using Plimsoll.Diagnostics.Hardware;
using Plimsoll.Quantization.Running;

namespace Plimsoll.Cli;

/// <summary>What a command may know of the world. Tests pass their own.</summary>
internal sealed record CliEnvironment
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Opens what is piped in.</summary>
    public Func<Stream> OpenInput { get; init; } = () => Stream.Null;

    public required Func<string, string?> Variable { get; init; }

    /// <summary>The user's home folder.</summary>
    public string Home => Variable("HOME") is { Length: > 0 } home ? home : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    public bool OutputIsTerminal { get; init; }

    /// <summary>Whether somebody watches <see cref="Error"/>, where progress is shown.</summary>
    public bool ErrorIsTerminal { get; init; }

    public int Width { get; init; } = 120;

    /// <summary>Threads that run at the same time.</summary>
    public int Processors { get; init; } = Environment.ProcessorCount;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The file system that large outputs go to.</summary>
    public OutputDisk Disk { get; init; } = new();

    /// <summary>Where this program lies; null where nothing is to be found by it.</summary>
    public string? ProgramFolder { get; init; }

    /// <summary>Bytes of memory that a run may still claim.</summary>
    public Func<long> AvailableMemory { get; init; } = () => long.MaxValue;

    /// <summary>The GPUs as they are now.</summary>
    public Func<GpuInventory> Gpus { get; init; } = () => GpuInventory.Missing("no GPU was asked");

    /// <summary>The program that trains; null where nobody looks for it.</summary>
    public Func<TrainerFacts?> Trainer { get; init; } = () => null;

    /// <summary>Bytes that a process holds of the host's memory; null when there is no such process.</summary>
    public Func<int, long?> ResidentMemory { get; init; } = _ => null;

    /// <summary>Cancelled by Ctrl-C and by a polite request to end.</summary>
    public CancellationToken Interrupted { get; init; }

    public static CliEnvironment System { get; } = new()
    {
        Out = Console.Out,
        Error = Console.Error,
        OpenInput = Console.OpenStandardInput,
        Variable = Environment.GetEnvironmentVariable,
        OutputIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        Width = ConsoleWidth(),
        ProgramFolder = AppContext.BaseDirectory,
        AvailableMemory = HostMemory.Available,
        Gpus = () => UnifiedMemory.Fill(LocalInventory.Read(), HostMemory.Total(), HostMemory.Available()),
        Trainer = () => TrainerProbe.Ask(System!),
        ResidentMemory = HostMemory.Resident,
    };

    private static int ConsoleWidth()
    {
        if (Console.IsOutputRedirected)
            return 120;
        var width = Console.WindowWidth;
        return width > 0 ? Math.Clamp(width, 60, 200) : 120;
    }
}
