using System.Xml.Linq;
using Plimsoll.Testing.Builders;
using static Plimsoll.Testing.Builders.SnapshotPickle;

namespace Plimsoll.Cli.Tests.Diagnose;

public class DiagnoseSnapshotTests
{
    private const long MiB = 1L << 20;

    /// <summary>12 MiB of the model were live when 8 more were refused, and 4 of them are at the end.</summary>
    private static byte[] Failed => SnapshotPickle.Of(Snapshot(
        [Segment(4096, Block(4096, 4 * MiB, 4 * MiB, "active_allocated", Frame("forward", "/home/ann/model.py", 42)), Block(4096 + 4 * MiB, 8 * MiB, 0, "inactive"))],
        [
            Event("alloc", 4096 + 4 * MiB, 8 * MiB, 1, Frame("forward", "/home/ann/model.py", 42)), Event("oom", 3 * MiB, 8 * MiB, 2, Frame("forward", "/home/ann/model.py", 43)),
            Event("free_completed", 4096 + 4 * MiB, 8 * MiB, 3),
        ]));

    private static byte[] Healthy => SnapshotPickle.Of(Snapshot([Segment(4096, Block(4096, 4 * MiB, 4 * MiB, "active_allocated", Frame("forward", "/home/ann/model.py", 42)))], []));

    private static CommandRun Diagnose(byte[] file, params string[] options)
    {
        using var folder = new TemporaryFolder();
        return CommandRun.Of(["diagnose", folder.Write("snapshot", file), .. options]);
    }

    [Fact]
    public void A_snapshot_is_known_by_its_content_and_its_failure_is_a_no()
    {
        var run = Diagnose(Failed);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("model.py:43 (forward) asked for 8.00 MiB with 3.00 MiB free", run.Output, StringComparison.Ordinal);
        Assert.Contains("Device 0 when memory ran out", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_answer_states_who_held_memory()
    {
        var device = Diagnose(Failed, "--json").Json.GetProperty("devices")[0];
        Assert.Equal("out_of_memory", device.GetProperty("moment").GetString());
        Assert.Equal(12 * MiB, device.GetProperty("live_bytes").GetInt64());
        var holder = device.GetProperty("holders")[0];
        Assert.Equal((12 * MiB, 2), (holder.GetProperty("bytes").GetInt64(), holder.GetProperty("tensors").GetInt32()));
        Assert.Equal(42, holder.GetProperty("site").GetProperty("line").GetInt32());
        Assert.Equal(8 * MiB, device.GetProperty("at_end").GetProperty("trapped_bytes").GetInt64());
    }

    [Fact]
    public void A_snapshot_without_a_problem_is_a_yes() => Assert.Equal(0, Diagnose(Healthy).ExitCode);

    [Fact]
    public void A_cut_snapshot_is_bad_input()
    {
        var run = Diagnose(Failed[..200]);
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("bytes left", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Redacted_answers_name_files_without_folders()
    {
        Assert.Contains("/home/ann/model.py", Diagnose(Failed, "--json").Output, StringComparison.Ordinal);
        var run = Diagnose(Failed, "--json", "--redact");
        Assert.DoesNotContain("ann", run.Output, StringComparison.Ordinal);
        Assert.Equal("model.py", run.Json.GetProperty("devices")[0].GetProperty("holders")[0].GetProperty("site").GetProperty("file").GetString());
    }

    [Fact]
    public void The_difference_is_what_a_line_of_code_holds_more()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("diagnose", folder.Write("after", Failed), "--diff", folder.Write("before", Healthy), "--json");
        var change = Assert.Single(run.Json.GetProperty("changes").EnumerateArray());
        Assert.Equal((4 * MiB, 12 * MiB), (change.GetProperty("bytes_before").GetInt64(), change.GetProperty("bytes_after").GetInt64()));
        Assert.Contains("+8.00 MiB", CommandRun.Of("diagnose", folder.File("after"), "--diff", folder.File("before")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_is_complete_in_itself_and_its_picture_is_well_formed()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("diagnose", folder.Write("snapshot", Failed), "--svg", folder.File("m.svg"), "--html", folder.File("m.html"), "--redact");
        Assert.Equal(1, run.ExitCode);
        var picture = XDocument.Load(folder.File("m.svg"));
        Assert.Contains(picture.Descendants(), element => element.Name.LocalName == "title" && element.Value == "model.py:42 (forward)");
        Assert.Contains(picture.Descendants(), element => element.Name.LocalName == "title" && element.Value == "out of memory");
        var page = File.ReadAllText(folder.File("m.html"));
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page.Replace("-src", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("/home/ann", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--diff", "missing", 3)]
    [InlineData("--diff", "folder/../snapshot", 0)]
    public void What_is_compared_must_be_there(string option, string name, int exitCode)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("folder"));
        Assert.Equal(exitCode, CommandRun.Of("diagnose", folder.Write("snapshot", Healthy), option, folder.File(name)).ExitCode);
    }
}
