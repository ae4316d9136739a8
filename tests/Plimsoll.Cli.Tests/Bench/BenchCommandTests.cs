namespace Plimsoll.Cli.Tests.Bench;

public class BenchCommandTests
{
    [Fact]
    public void What_was_measured_gives_plans_a_speed()
    {
        using var folder = new TemporaryFolder();
        var home = new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = folder.Path };
        Assert.Contains("plimsoll bench", CommandRun.Of(home, "plan", "7b", "--engine", "plimsoll").Output, StringComparison.Ordinal);
        var run = CommandRun.Of(home, "bench", "--format", "q8_0", "--threads", "1", "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.True(run.Json.GetProperty("read_bytes_per_second").GetDouble() > 1e8);
        Assert.Equal("Q8_0", Assert.Single(run.Json.GetProperty("rates").EnumerateArray()).GetProperty("format").GetString());
        Assert.Contains("Decode: about", CommandRun.Of(home, "plan", "7b", "--engine", "plimsoll").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_profile_is_bad_input()
    {
        using var folder = new TemporaryFolder();
        folder.Write("plimsoll/cpu.json", "{\"threads\": ");
        var run = CommandRun.Of(new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = folder.Path }, "plan", "7b", "--engine", "plimsoll");
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("bench", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("q4_x")]
    [InlineData("int4")]
    public void A_format_that_is_not_multiplied_is_wrong_usage(string format) => Assert.Equal(2, CommandRun.Of("bench", "--format", format, "--no-save").ExitCode);
}
