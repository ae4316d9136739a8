using System.Net;
using System.Net.Sockets;
using Plimsoll.Cli.Watch;
using Plimsoll.Diagnostics.Growth;
using Plimsoll.Diagnostics.Growth.Readers;
using Plimsoll.Diagnostics.Hardware;

namespace Plimsoll.Cli.Tests.Watch;

public class WatchCommandTests
{
    private const long MiB = 1L << 20;

    /// <summary>4 MiB a second from 1,000 MiB, with 1,000 MiB free at first: the ceiling is 2,000 MiB.</summary>
    [Fact]
    public void A_process_that_leaks_is_found_with_the_time_that_is_left()
    {
        var run = Watch(sample => (1000 + (4 * sample)) * MiB, free: 1000 * MiB, "--count", "60", "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("leak", run.Json.GetProperty("verdict").GetString());
        Assert.Equal("host-memory-grows", run.Json.GetProperty("findings")[0].GetProperty("check").GetString());
        var left = (2000 - (1000 + (4 * 59))) / 4.0;
        Assert.InRange(run.Json.GetProperty("seconds_to_ceiling").GetDouble(), left * 0.75, left * 1.25);
    }

    [Fact]
    public void A_process_that_holds_still_is_no_problem()
    {
        var run = Watch(_ => 1000 * MiB, free: 1000 * MiB, "--count", "40");
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("Memory does not grow", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_watch_ends_with_the_process()
    {
        var run = Watch(sample => sample < 5 ? 1000 * MiB : null, free: MiB, "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(5, run.Json.GetProperty("series")[0].GetProperty("samples").GetInt32());
    }

    [Fact]
    public void GPUs_are_watched_with_the_process_in_them()
    {
        var taken = 0;
        GpuInventory Next() => new("NVML", null, [new(0, "T4", null, 16000 * MiB, (1000 + (50 * taken++)) * MiB, null, null, null, null, null, [new(7, 500 * MiB)])], []);
        var run = CommandRun.Of(environment => environment with { Time = new ImpatientTime(), Gpus = Next, ResidentMemory = _ => MiB }, "watch", "--pid", "7", "--count", "60", "--json");
        Assert.Equal(["flat", "leak", "flat"], run.Json.GetProperty("series").EnumerateArray().Select(series => series.GetProperty("verdict").GetString()));
        Assert.Equal("device-grows", run.Json.GetProperty("findings")[0].GetProperty("check").GetString());
    }

    [Theory]
    [InlineData(4, "no GPU to watch", "watch")]
    [InlineData(3, "there is no process 7", "watch", "--pid", "7")]
    [InlineData(2, "--interval 5x", "watch", "--interval", "5x")]
    [InlineData(2, "--interval 0s", "watch", "--interval", "0s")]
    [InlineData(2, "--count 0", "watch", "--count", "0")]
    public void What_cannot_be_watched_is_refused(int code, string message, params string[] arguments)
    {
        var run = CommandRun.Of(arguments);
        Assert.Equal(code, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Metrics_are_read_back_as_a_series()
    {
        var history = new WatchHistory();
        for (var second = 0; second < 40; second++)
            history.Add(second, [new("GPU 0", "GPU 0", MemoryLedger.Device, (1000 + (50 * second)) * MiB, 16000 * MiB)]);
        var text = WatchMetrics.Write(history.Diagnosis);
        Assert.Contains("plimsoll_memory_problem{series=\"GPU 0\",ledger=\"device\",verdict=\"leak\"} 1\n", text, StringComparison.Ordinal);
        var series = Assert.Single(SeriesReader.Read(text));
        Assert.Equal((2950.0 * MiB, 16000 * MiB), (series.Bytes[0], series.CeilingBytes));
        foreach (var file in (string[])["docs/monitoring/alerts.yml", "docs/monitoring/dashboard.json"])
            Assert.All(System.Text.RegularExpressions.Regex.Matches(Repository.Read(file), "plimsoll_[a-z_]+"), metric => Assert.Contains($"# TYPE {metric.Value} ", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_are_served_on_this_machine()
    {
        using var server = MetricsServer.Start(":0", () => "x 1\n");
        Assert.EndsWith("\r\n\r\nx 1\n", await AskAsync(server.Port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 405", await AskAsync(server.Port, "POST / HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Environment, Assert.Throws<CliException>(() => MetricsServer.Start($":{server.Port}", () => "")).ExitCode);
        Assert.Equal(ExitCode.WrongUsage, Assert.Throws<CliException>(() => MetricsServer.Start("everywhere", () => "")).ExitCode);
    }

    [Fact]
    public void A_long_watch_keeps_its_whole_span()
    {
        var history = new WatchHistory();
        for (var second = 0; second < 5000; second++)
            history.Add(second, [new("x", "x", MemoryLedger.Process, MiB, null)]);
        var series = history.Diagnosis.Verdicts.Single().Series;
        Assert.Equal((0, 4999), (series.At[0], series.At[^1]));
        Assert.InRange(series.At.Length, 2048, 4096);
    }

    [Fact]
    public void The_chart_goes_from_the_lowest_to_the_highest_point()
    {
        Assert.Equal("▁▄█", WatchLine.Chart([0, 50, 100]));
        Assert.Equal("▁▁", WatchLine.Chart([5, 5]));
    }

    private static CommandRun Watch(Func<int, long?> bytes, long free, params string[] options)
    {
        var taken = 0;
        return CommandRun.Of(environment => environment with { Time = new ImpatientTime(), ResidentMemory = _ => bytes(taken++), AvailableMemory = () => free }, ["watch", "--pid", "7", .. options]);
    }

    private static async Task<string> AskAsync(int port, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
