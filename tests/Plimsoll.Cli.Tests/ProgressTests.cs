namespace Plimsoll.Cli.Tests;

public class ProgressTests
{
    private readonly ManualTime time = new();
    private readonly StringWriter error = new();

    [Fact]
    public void On_a_terminal_a_bar_shows_share_rate_and_time_left()
    {
        using var progress = Start(isTerminal: true, ProgressUnit.Bytes, 4_000_000_000);
        time.Advance(2);
        progress.Report(1_000_000_000, "blk.3.ffn_up.weight");
        Assert.Equal("quantize ██████░░░░░░░░░░░░░░░░░░  25 %  1.00 GB of 4.00 GB  500.00 MB/s  ETA 0:06  blk.3.ffn_up.weight", LastDrawn());
    }

    [Fact]
    public void The_bar_is_not_drawn_more_often_than_eyes_see()
    {
        using var progress = Start(isTerminal: true, ProgressUnit.Of("tokens"), 100);
        var drawn = error.ToString().Length;
        progress.Report(1);
        time.Advance(0.05);
        progress.Report(2);
        Assert.Equal(drawn, error.ToString().Length);
    }

    [Fact]
    public void A_shorter_line_covers_the_longer_one_and_the_end_leaves_nothing()
    {
        var progress = Start(isTerminal: true, ProgressUnit.Of("tokens"), 100);
        time.Advance(1);
        progress.Report(10, "a long name of a tensor");
        var longer = error.ToString().Split('\r')[^1].Length;
        time.Advance(1);
        progress.Report(20, "b");
        Assert.Equal(longer, error.ToString().Split('\r')[^1].Length);
        progress.Dispose();
        Assert.EndsWith("\r", error.ToString(), StringComparison.Ordinal);
        Assert.Equal("", LastDrawn().Trim());
    }

    [Fact]
    public void A_long_name_does_not_wrap_the_line()
    {
        using var progress = Start(isTerminal: true, ProgressUnit.Of("tokens"), 100, width: 80);
        time.Advance(1);
        progress.Report(10, new string('x', 300));
        Assert.Contains("ETA 0:09", LastDrawn(), StringComparison.Ordinal);
        Assert.Equal(79, LastDrawn().Length);
    }

    [Fact]
    public void What_an_earlier_run_did_counts_as_done_and_not_for_the_rate()
    {
        using var progress = Start(isTerminal: true, ProgressUnit.Of("tokens"), 100, alreadyDone: 50);
        time.Advance(10);
        progress.Report(60);
        Assert.Contains(" 60 %  60 of 100 tokens  1.00 tokens/s  ETA 0:40", LastDrawn(), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_nobody_watches_there_is_a_line_per_tenth_at_most()
    {
        using var progress = Start(isTerminal: false, ProgressUnit.Of("tokens"), 100_000);
        for (var done = 0; done <= 100_000; done += 1000)
        {
            progress.Report(done);
            time.Advance(60);
        }
        var lines = error.ToString().ReplaceLineEndings("\n").TrimEnd().Split('\n');
        Assert.Equal(10, lines.Length);
        Assert.Equal("plimsoll: quantize  10 %  10,000 of 100,000 tokens  17 tokens/s  ETA 1:30:00", lines[0]);
    }

    [Fact]
    public void A_job_of_a_moment_says_nothing_where_nobody_watches()
    {
        using (var progress = Start(isTerminal: false, ProgressUnit.Of("tokens"), 100))
        {
            for (var done = 0; done <= 100; done++)
                progress.Report(done);
        }
        Assert.Equal("", error.ToString());
    }

    [Theory]
    [InlineData("TERM", "dumb")]
    [InlineData("CI", "true")]
    public void Simple_terminals_get_lines(string variable, string value)
    {
        using var progress = Start(isTerminal: true, ProgressUnit.Of("tokens"), 100, variable: name => name == variable ? value : null);
        time.Advance(10);
        progress.Report(50);
        Assert.Equal("plimsoll: quantize  50 %  50 of 100 tokens  5.00 tokens/s  ETA 0:10", error.ToString().TrimEnd());
    }

    [Fact]
    public void Quiet_means_quiet()
    {
        using (var progress = Start(isTerminal: true, ProgressUnit.Of("tokens"), 100, options: ["--quiet"]))
        {
            time.Advance(10);
            progress.Report(50);
        }
        Assert.Equal("", error.ToString());
    }

    private Progress Start(bool isTerminal, ProgressUnit unit, long total, long alreadyDone = 0, string[]? options = null, Func<string, string?>? variable = null, int width = 120)
    {
        var environment = new CliEnvironment { Out = TextWriter.Null, Error = error, Variable = variable ?? (_ => null), ErrorIsTerminal = isTerminal, Width = width, Time = time };
        return Progress.Start(CliApplication.CreateRoot(environment).Parse([.. options ?? [], "formats"]), environment, "quantize", total, unit, alreadyDone);
    }

    private string LastDrawn() => error.ToString().Split('\r', StringSplitOptions.RemoveEmptyEntries)[^1];
}
