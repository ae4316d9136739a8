namespace Plimsoll.Cli.Tests.Diagnose;

public class DiagnoseCommandTests
{
    private static readonly string Log = Path.Combine(Repository.Root, "docs", "examples", "out-of-memory.log");

    [Fact]
    public void The_answer_states_the_fields_of_the_message()
    {
        var run = CommandRun.Of("diagnose", Log, "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("out_of_memory", run.Json.GetProperty("kind").GetString());
        Assert.Equal("backward", run.Json.GetProperty("event").GetProperty("phase").GetString());
        var fields = run.Json.GetProperty("fields");
        Assert.Equal(812L << 20, fields.GetProperty("free_bytes").GetInt64());
        Assert.Equal((long)Math.Round(1.96 * (1L << 30)) - (812L << 20), fields.GetProperty("shortage_bytes").GetInt64());
    }

    [Fact]
    public void With_a_model_every_fix_has_its_bytes()
    {
        var run = CommandRun.Of("diagnose", Log, "--model", "llama-3.1-8b", "--for", "qlora", "--context", "4096", "--json");
        Assert.Equal(1, run.ExitCode);
        var planned = run.Json.GetProperty("planned");
        Assert.Contains("x 8", planned.GetProperty("run").GetString(), StringComparison.Ordinal);
        Assert.All(planned.GetProperty("fixes").EnumerateArray(), fix => Assert.True(fix.GetProperty("saves_bytes").GetInt64() > 0));
        Assert.NotEqual(0, planned.GetProperty("fixes").GetArrayLength());
    }

    [Fact]
    public void A_log_without_such_a_message_is_no_problem()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("diagnose", folder.Write("train.log", "step 1 loss 2.0\n"u8.ToArray()));
        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("No message", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing.log", "no such file")]
    [InlineData(".", "is a folder")]
    public void A_file_that_is_not_there_is_bad_input(string name, string reason)
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("diagnose", Path.Combine(folder.Path, name));
        Assert.Equal(3, run.ExitCode);
        Assert.Contains(reason, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_rules_are_listed_without_a_file()
    {
        var run = CommandRun.Of("diagnose", "--rules", "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains(run.Json.GetProperty("rules").EnumerateArray(), rule => rule.GetProperty("check").GetString() == "fragmentation");
        Assert.Contains("masked-out-of-memory", CommandRun.Of("diagnose", "--rules").Output, StringComparison.Ordinal);
        Assert.Equal(2, CommandRun.Of("diagnose").ExitCode);
    }

    [Fact]
    public void A_damaged_gzip_is_bad_input()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("diagnose", folder.Write("log.gz", [0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("damaged gzip", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_log_and_a_binary_one_are_bad_input()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(3, CommandRun.Of("diagnose", folder.Write("empty.log", [])).ExitCode);
        Assert.Equal(3, CommandRun.Of("diagnose", folder.Write("binary.log", [1, 0, 2, 0, 0, 0])).ExitCode);
    }

    [Fact]
    public void A_log_of_PowerShell_is_read()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("utf16.log", [0xFF, 0xFE, .. System.Text.Encoding.Unicode.GetBytes(File.ReadAllText(Log))]);
        Assert.Equal(1, CommandRun.Of("diagnose", path).ExitCode);
    }

    [Fact]
    public void An_unknown_model_is_wrong_usage() => Assert.Equal(2, CommandRun.Of("diagnose", Log, "--model", "lama-8b").ExitCode);
}
