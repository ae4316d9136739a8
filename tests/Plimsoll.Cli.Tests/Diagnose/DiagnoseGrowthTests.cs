using System.IO.Compression;
using System.Text;

namespace Plimsoll.Cli.Tests.Diagnose;

public class DiagnoseGrowthTests
{
    private static readonly string Table = Path.Combine(Repository.Root, "docs", "examples", "gpu-memory.csv");

    [Fact]
    public void A_leak_is_the_answer_no_with_the_time_that_is_left()
    {
        var run = CommandRun.Of("diagnose", Table, "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(("growth", "leak"), (run.Json.GetProperty("kind").GetString(), run.Json.GetProperty("verdict").GetString()));
        Assert.Equal(["leak", "flat"], run.Json.GetProperty("series").EnumerateArray().Select(series => series.GetProperty("verdict").GetString()));
        // 24,564 MiB less a peak of 14,000 + 2,600 + 119 * 20 + 1,260, at 20 MiB every 15 seconds.
        Assert.InRange(run.Json.GetProperty("seconds_to_ceiling").GetDouble(), 3243 * 0.9, 3243 * 1.1);
    }

    [Fact]
    public void A_lower_ceiling_is_reached_sooner()
    {
        var run = CommandRun.Of("diagnose", Table, "--ceiling", "21GiB", "--json");
        Assert.InRange(run.Json.GetProperty("seconds_to_ceiling").GetDouble(), 948 * 0.9, 948 * 1.15);
        Assert.Equal(2, CommandRun.Of("diagnose", Table, "--ceiling", "lots").ExitCode);
    }

    [Fact]
    public void Memory_that_does_not_grow_is_no_problem()
    {
        using var folder = new TemporaryFolder();
        var flat = folder.Write("flat.csv", string.Concat(Enumerable.Range(0, 100).Select(second => $"{second},1000 MiB\n").Prepend("seconds,memory_used\n")));
        var run = CommandRun.Of("diagnose", flat);
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("Memory does not grow", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_without_memory_is_bad_input()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("diagnose", folder.Write("power.csv", "timestamp, power.draw [W]\n2024/10/30 18:42:33.189, 22.89 W\n2024/10/30 18:42:34.189, 22.89 W\n2024/10/30 18:42:35.189, 22.89 W\n"));
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("no memory column among timestamp, power.draw [W]", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_gzipped_is_read_and_damage_is_said()
    {
        using var folder = new TemporaryFolder();
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
            zip.Write(Encoding.UTF8.GetBytes(File.ReadAllText(Table)));
        Assert.Equal(1, CommandRun.Of("diagnose", folder.Write("a.csv.gz", bytes.ToArray())).ExitCode);
        var damaged = bytes.ToArray();
        damaged[2] = 0;
        Assert.Equal(3, CommandRun.Of("diagnose", folder.Write("b.csv.gz", damaged)).ExitCode);
    }
}
