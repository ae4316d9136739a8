using System.Collections.Immutable;
using System.CommandLine;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Linear;
using Plimsoll.Planning.Speed;
using Plimsoll.Runtime.Measuring;
using Spectre.Console;

namespace Plimsoll.Cli.Bench;

/// <summary><c>plimsoll bench</c>: how fast this machine reads memory and multiplies packed weights.</summary>
internal static class BenchCommand
{
    public const string Schema = "plimsoll.bench/1";

    /// <summary>Formats that people run, wide before narrow.</summary>
    private static readonly string[] Usual = ["BF16", "FP16", "Q8_0", "Q6_K", "Q5_K", "Q4_K", "Q4_0", "IQ4_XS", "Q3_K", "Q2_K"];

    private static readonly Option<string[]> Formats = new("--format") { Description = "weight formats to measure; the usual ones when left out", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int?> Threads = OptionValues.Count("--threads", "threads that compute; all processors when left out", maximum: 1024);
    private static readonly Option<bool> NoSave = new("--no-save") { Description = "keep no profile: 'plan --engine plimsoll' goes on with the one that it has" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "bench",
            """
            Measures this machine's processor: reading memory, and products with packed weights in each format, with one vector (decoding) and with
            many (a prompt). The result is kept, so that 'plimsoll plan --engine plimsoll' tells tokens per second. Takes some seconds.

            Examples:
              plimsoll bench
              plimsoll bench --format q4_k q8_0 --threads 4
              plimsoll bench --json --no-save
            """)
        {
            Formats, Threads, NoSave,
        };
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var formats = Chosen(parsed.GetValue(Formats));
        var profile = Measure(formats, parsed, environment);
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            JsonOutput.Write(terminal.Out, Schema, profile.Write);
        else
            Write(terminal, profile);
        if (!parsed.GetValue(NoSave))
            terminal.Error.WriteLine($"plimsoll: kept in {UserCatalogs.SaveCpuProfile(profile, environment)}");
        return ExitCode.Yes;
    }

    private static ImmutableArray<NumberFormat> Chosen(string[]? names) => [.. (names is { Length: > 0 } ? names : Usual).Select(name =>
        NumberFormats.Find(name) is { } format
            ? PackedMatrices.Supports(format) ? format : throw CliException.WrongUsage($"weights in {format} are not multiplied here", $"some that are: {string.Join(", ", Usual)}")
            : throw CliException.WrongUsage($"unknown format '{name}'", ClosestNames.Find(name, NumberFormats.Names).FirstOrDefault() is { } near ? $"did you mean {near}?" : "'plimsoll formats' lists them"))];

    private static CpuProfile Measure(ImmutableArray<NumberFormat> formats, ParseResult parsed, CliEnvironment environment)
    {
        using var pool = new ComputePool(parsed.GetValue(Threads) ?? environment.Processors);
        using var progress = Progress.Start(parsed, environment, "bench", formats.Length + 1, ProgressUnit.Of("measurements"));
        progress.Report(0, "memory");
        var bandwidth = ReadBandwidth.Measure(pool, environment.Time);
        var rates = ImmutableArray.CreateBuilder<CpuRate>();
        foreach (var format in formats)
        {
            environment.Interrupted.ThrowIfCancellationRequested();
            progress.Report(rates.Count + 1, format.Name);
            var rate = ProductRate.Measure(format, pool, environment.Time);
            rates.Add(new(format.Name, rate.DecodeBytesPerSecond, rate.PrefillOperationsPerSecond));
        }
        return new(pool.Threads, bandwidth, rates.ToImmutable());
    }

    private static void Write(Terminal terminal, CpuProfile profile)
    {
        terminal.Rich.MarkupLineInterpolated($"Memory is read at [bold]{Giga(profile.ReadBytesPerSecond)}[/] GB/s by {profile.Threads} {(profile.Threads == 1 ? "thread" : "threads")}.");
        var table = new Table().Border(TableBorder.Simple).AddColumn("weights");
        foreach (var column in new[] { "decode, GB/s", "of memory", "decode, G weights/s", "prompt, GOP/s" })
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var rate in profile.Rates)
        {
            var bits = NumberFormats.Find(rate.Format)!.BitsPerWeight;
            table.AddRow(rate.Format, Giga(rate.DecodeBytesPerSecond), FormattableString.Invariant($"{rate.DecodeBytesPerSecond / profile.ReadBytesPerSecond:0 %}"),
                Giga(rate.DecodeBytesPerSecond * 8 / bits), FormattableString.Invariant($"{rate.PrefillOperationsPerSecond / 1e9:0}"));
        }
        terminal.Rich.Write(table);
    }

    private static string Giga(double value) => FormattableString.Invariant($"{value / 1e9:0.0}");
}
