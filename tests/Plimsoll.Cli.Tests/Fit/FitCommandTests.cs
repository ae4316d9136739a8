namespace Plimsoll.Cli.Tests.Fit;

public class FitCommandTests
{
    [Theory]
    [InlineData("one-card.txt", "fit llama-3.1-8b --gpu rtx-4060")]
    [InlineData("two-cards.txt", "fit llama-3.1-70b --gpu 2xrtx-3090 --context 16k")]
    [InlineData("too-large.txt", "fit llama-3.1-70b --gpu rtx-4090")]
    [InlineData("vllm.txt", "fit qwen3-32b --gpu a100-80gb --engine vllm --context 32k")]
    public void The_answer_can_be_read(string golden, string command)
    {
        var run = CommandRun.Of(command.Split(' '));
        Golden.Match(golden, $"$ plimsoll {command}\n{run.Output}{run.Error}exit {run.ExitCode}\n");
    }

    [Fact]
    public void The_best_quality_that_fits_is_chosen()
    {
        var answer = CommandRun.Of("fit", "llama-3.1-8b", "--gpu", "rtx-4060", "--json").Json;
        var chosen = answer.GetProperty("chosen").GetString();
        var fitting = answer.GetProperty("candidates").EnumerateArray().Where(candidate => candidate.GetProperty("fits").GetBoolean()).ToList();
        var best = fitting.MinBy(candidate => candidate.GetProperty("expected_loss").GetDouble());
        Assert.Equal(best.GetProperty("format").GetString(), chosen);
        Assert.All(fitting, candidate => Assert.True(candidate.GetProperty("peak_bytes").GetInt64() <= answer.GetProperty("usable_bytes").GetInt64()));
        Assert.All(answer.GetProperty("candidates").EnumerateArray().Except(fitting), candidate => Assert.True(candidate.GetProperty("short_bytes").GetInt64() > 0));
    }

    [Fact]
    public void Locked_settings_stay_as_they_are()
    {
        var answer = CommandRun.Of("fit", "qwen3-8b", "--memory", "12GiB", "--precision", "q4_k_m", "--context", "4096", "--kv-precision", "q8_0", "--json").Json;
        var settings = answer.GetProperty("settings");
        Assert.Equal("gguf:q4_k_m", settings.GetProperty("format").GetString());
        Assert.Equal(4096, settings.GetProperty("context").GetInt64());
        Assert.Equal("q8_0", settings.GetProperty("kv_precision").GetString());
        Assert.Single(answer.GetProperty("candidates").EnumerateArray());
    }

    [Fact]
    public void A_mixture_of_experts_keeps_its_experts_on_the_host_when_it_must()
    {
        var answer = CommandRun.Of("fit", "qwen3-30b-a3b", "--memory", "8GiB", "--json").Json;
        Assert.Contains("experts", answer.GetProperty("on_host").GetString(), StringComparison.Ordinal);
        Assert.True(answer.GetProperty("settings").GetProperty("peak_bytes").GetInt64() <= 8L << 30);
        Assert.Contains("--n-cpu-moe", answer.GetProperty("launch")[0].GetProperty("command").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fit 7b", "either --gpu or --memory")]
    [InlineData("fit 7b --gpu rtx-4090 --memory 8GiB", "either --gpu or --memory")]
    [InlineData("fit 7b --memory lots", "--memory takes a size")]
    public void A_mistake_gets_a_sentence(string command, string sentence)
    {
        var run = CommandRun.Of(command.Split(' '));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_that_fits_is_an_answer_too()
    {
        var run = CommandRun.Of("fit", "llama-3.1-70b", "--memory", "1GiB", "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(System.Text.Json.JsonValueKind.Null, run.Json.GetProperty("chosen").ValueKind);
    }

    [Fact]
    public void Weights_that_are_here_are_measured_and_the_least_divergent_that_fits_is_taken()
    {
        using var folder = new TemporaryFolder();
        var output = folder.File("demo.gguf");
        var run = CommandRun.Of("fit", "demo", "--memory", "1200KiB", "-o", output, "--json");
        Assert.Equal(0, run.ExitCode);
        var measured = run.Json.GetProperty("candidates").EnumerateArray().Where(candidate => candidate.TryGetProperty("measured", out _)).ToList();
        var fitting = measured.Where(candidate => candidate.GetProperty("fits").GetBoolean()).ToList();
        Assert.Equal(fitting.MinBy(Divergence).GetProperty("format").GetString(), run.Json.GetProperty("chosen").GetString());
        Assert.All(fitting, candidate => Assert.InRange(candidate.GetProperty("measured").GetProperty("same_top").GetDouble(), 0.5, 1));
        // The widest and the narrowest differ by far more than the noise of a measurement.
        Assert.True(measured.Max(Divergence) > 20 * measured.Min(Divergence));
        Assert.Equal(0, CommandRun.Of("inspect", output, "--check").ExitCode);
        Assert.Equal(output, run.Json.GetProperty("output").GetString());
        Assert.Equal(2, CommandRun.Of("fit", "demo", "--memory", "2MiB", "-o", output).ExitCode);
        Assert.Equal(2, CommandRun.Of("fit", "llama-3.1-8b", "--memory", "8GiB", "-o", folder.File("other.gguf")).ExitCode);

        static double Divergence(System.Text.Json.JsonElement candidate) => candidate.GetProperty("measured").GetProperty("kl_divergence").GetDouble();
    }

    [Fact]
    public void A_budget_below_the_smallest_candidate_is_refused_with_what_is_short()
    {
        var run = CommandRun.Of("fit", "demo", "--memory", "100KiB");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("short", run.Output, StringComparison.Ordinal);
    }
}
