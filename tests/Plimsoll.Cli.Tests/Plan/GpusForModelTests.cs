namespace Plimsoll.Cli.Tests.Plan;

public class GpusForModelTests
{
    [Fact]
    public void Every_gpu_holds_the_model_or_says_why_not()
    {
        var run = CommandRun.Of("gpus", "llama-3.1-70b", "-p", "q4_k_m", "--vendor", "nvidia", "--json");
        Assert.Equal(0, run.ExitCode);
        foreach (var gpu in run.Json.GetProperty("gpus").EnumerateArray())
            Assert.True(gpu.GetProperty("headroom_bytes").GetInt64() >= 0);
        foreach (var loser in run.Json.GetProperty("losers").EnumerateArray())
            Assert.NotEqual("", loser.GetProperty("reason").GetString());
    }

    [Fact]
    public void The_counts_are_the_smallest_that_fit()
    {
        var gpus = CommandRun.Of("gpus", "llama-3.1-70b", "-p", "q4_k_m", "--json").Json.GetProperty("gpus").EnumerateArray()
            .ToDictionary(gpu => gpu.GetProperty("gpu").GetString()!, gpu => gpu.GetProperty("count").GetInt32());
        Assert.Equal(2, gpus["rtx-3090"]);
        Assert.Equal(1, gpus["a100-80gb"]);
        Assert.Equal(4, gpus["rtx-4080"]);
    }

    [Fact]
    public void A_model_that_nothing_holds_exits_with_one_and_reasons()
    {
        var run = CommandRun.Of("gpus", "deepseek-v3", "-p", "bf16", "--name", "rtx-3090");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("rtx-3090: the weights alone need", run.Output, StringComparison.Ordinal);
    }
}
