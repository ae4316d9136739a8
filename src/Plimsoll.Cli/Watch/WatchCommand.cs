using System.CommandLine;
using System.Globalization;
using Plimsoll.Cli.Diagnose;
using Plimsoll.Diagnostics.Growth;

namespace Plimsoll.Cli.Watch;

/// <summary><c>plimsoll watch</c>: memory as it grows, with a verdict and the time that is left.</summary>
internal static class WatchCommand
{
    internal static readonly Option<int?> Pid = new("--pid") { Description = "a process: its memory of the host, and of the GPUs where the driver tells" };
    internal static readonly Option<int?> Gpu = new("--gpu", "-g") { Description = "one GPU by its index; all when left out" };
    internal static readonly Option<string> Interval = new("--interval") { Description = "from one sample to the next: 500ms, 1s, 1m", DefaultValueFactory = _ => "1s" };
    internal static readonly Option<int?> Count = new("--count") { Description = "samples to take; until Ctrl-C, or until the process ends, when left out" };
    internal static readonly Option<string?> Export = new("--export") { Description = "serve Prometheus metrics at this port of 127.0.0.1, as :9400" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "watch",
            """
            Memory as it grows: of the GPUs, or of a process, which needs no GPU. Each sample is judged as 'plimsoll diagnose' judges a series; the verdict is
            printed at the end.

            Examples:
              plimsoll watch
              plimsoll watch --pid 4711 --interval 500ms --count 600
              plimsoll watch --gpu 0 --interval 15s --export :9400
            """)
        {
            Pid, Gpu, Interval, Count, Export,
        };
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var interval = ParseInterval(parsed.GetValue(Interval)!);
        var count = parsed.GetValue(Count) ?? int.MaxValue;
        if (count < 1)
            throw CliException.WrongUsage($"--count {count}: at least 1");
        var sampler = new WatchSampler(environment, parsed.GetValue(Pid), parsed.GetValue(Gpu));
        var history = new WatchHistory();
        using var server = parsed.GetValue(Export) is { } address ? MetricsServer.Start(address, () => WatchMetrics.Write(history.Diagnosis)) : null;
        if (server is not null)
            environment.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"plimsoll: metrics at http://127.0.0.1:{server.Port}/metrics"));
        using var line = new WatchLine(parsed, environment);
        var start = environment.Time.GetTimestamp();
        for (var taken = 0; taken < count && !environment.Interrupted.IsCancellationRequested; taken++)
        {
            if (taken > 0 && !Wait(interval, environment))
                break;
            var samples = sampler.Take(first: taken == 0);
            if (samples.Count == 0)
                break;
            history.Add(environment.Time.GetElapsedTime(start).TotalSeconds, samples);
            line.Show(history.Diagnosis);
        }
        line.Dispose();
        return Report(parsed, environment, history.Diagnosis);
    }

    private static int Report(ParseResult parsed, CliEnvironment environment, GrowthDiagnosis diagnosis)
    {
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            GrowthJson.Write(terminal.Out, diagnosis);
        else
            GrowthTable.Write(terminal, diagnosis);
        return diagnosis.IsProblem ? ExitCode.No : ExitCode.Yes;
    }

    /// <summary>False when somebody wants it to end.</summary>
    private static bool Wait(TimeSpan interval, CliEnvironment environment)
    {
        try
        {
            Task.Delay(interval, environment.Time, environment.Interrupted).GetAwaiter().GetResult();
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static TimeSpan ParseInterval(string text)
    {
        var split = text.AsSpan().TrimEnd("hms").Length;
        var unit = text[split..] switch { "ms" => 0.001, "s" or "" => 1, "m" => 60, "h" => 3600, _ => 0 };
        return double.TryParse(text.AsSpan(0, split), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * unit is >= 0.01 and <= 86_400
            ? TimeSpan.FromSeconds(number * unit)
            : throw CliException.WrongUsage($"--interval {text}: from 10ms to 24h is expected, such as 1s");
    }
}
