namespace Plimsoll.Cli.Tests.Plan;

public class PlanCommandTests
{
    [Theory]
    [InlineData("main-job.txt", "plan llama-3.1-8b --gpu rtx-4090")]
    [InlineData("explain-7b-int4.txt", "plan 7b --precision int4 --explain")]
    [InlineData("llama-cpp-offload.txt", "plan qwen3-30b-a3b -p q4_k_m --gpu 12GiB --n-cpu-moe 40 --kv-precision q8_0 --context 16k")]
    [InlineData("vllm-tensor-parallel.txt", "plan llama-3.1-70b --engine vllm --gpu 4xh100 --context 32k")]
    [InlineData("two-gpus.txt", "plan llama-3.1-70b -p q4_k_m --gpu 2xrtx-3090 --tensor-split 3,2")]
    public void The_answer_can_be_read(string golden, string command)
    {
        var run = CommandRun.Of(command.Split(' '));
        Golden.Match(golden, $"$ plimsoll {command}\n{run.Output}{run.Error}exit {run.ExitCode}\n");
    }

    [Fact]
    public void The_json_of_the_main_job_is_stable() =>
        Golden.Match("main-job.json", CommandRun.Of("plan", "llama-3.1-8b", "--gpu", "rtx-4090", "--json").Output);

    [Theory]
    [InlineData("fp32", "28.00 GB")]
    [InlineData("fp16", "14.00 GB")]
    [InlineData("int8", "7.00 GB")]
    [InlineData("int4", "3.50 GB")]
    public void Seven_billion_parameters_weigh_what_everybody_says(string precision, string weights) =>
        Assert.Contains($"Weights: {weights} = ", CommandRun.Of("plan", "7b", "--precision", precision).Output, StringComparison.Ordinal);

    [Fact]
    public void A_model_that_does_not_fit_exits_with_one()
    {
        var run = CommandRun.Of("plan", "llama-3.1-70b", "--gpu", "rtx-4090", "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.False(run.Json.GetProperty("fits").GetBoolean());
        Assert.True(run.Json.GetProperty("headroom_bytes").GetInt64() < 0);
        Assert.Equal(0, run.Json.GetProperty("limits").GetProperty("max_context").GetInt64());
    }

    [Fact]
    public void Without_a_gpu_there_is_no_verdict()
    {
        var answer = CommandRun.Of("plan", "qwen3-8b", "--json").Json;
        Assert.False(answer.TryGetProperty("fits", out _));
        Assert.False(answer.TryGetProperty("device", out _));
        Assert.False(answer.TryGetProperty("headroom_bytes", out _));
    }

    [Fact]
    public void The_phases_of_the_json_sum_to_the_peak()
    {
        var answer = CommandRun.Of("plan", "mixtral-8x7b", "-p", "q4_k_m", "--json").Json;
        var peak = answer.GetProperty("peak");
        var phase = answer.GetProperty("phases").EnumerateArray().Single(candidate => candidate.GetProperty("name").GetString() == peak.GetProperty("phase").GetString());
        Assert.Equal(peak.GetProperty("total_bytes").GetInt64(), phase.GetProperty("lines").EnumerateArray().Sum(line => line.GetProperty("bytes").GetInt64()));
        Assert.Equal(peak.GetProperty("total_bytes").GetInt64(), answer.GetProperty("totals").EnumerateObject().Sum(total => total.Value.GetInt64()));
    }

    [Theory]
    [InlineData("plan llama-3.1-70b -p q4_k_m --gpu rtx-4090 --what-if --json")]
    [InlineData("plan 7b --for lora --gpu rtx-3060 --what-if --json")]
    public void The_other_gpu_of_a_what_if_holds_the_job(string command)
    {
        var other = CommandRun.Of(command.Split(' ')).Json.GetProperty("other_gpu").GetString()!;
        var words = command.Replace("--what-if ", "", StringComparison.Ordinal).Split(' ');
        words[Array.IndexOf(words, "--gpu") + 1] = other;
        Assert.True(CommandRun.Of(words).Json.GetProperty("fits").GetBoolean());
    }

    [Fact]
    public void A_draft_model_adds_its_weights_and_cache()
    {
        var alone = CommandRun.Of("plan", "llama-3.1-70b", "-p", "q4_k_m", "--json").Json.GetProperty("peak").GetProperty("total_bytes").GetInt64();
        var both = CommandRun.Of("plan", "llama-3.1-70b", "-p", "q4_k_m", "--draft", "llama-3.2-1b", "--json");
        Assert.Contains("draft: weights", both.Output, StringComparison.Ordinal);
        Assert.True(both.Json.GetProperty("peak").GetProperty("total_bytes").GetInt64() > alone + 600_000_000);
    }

    [Theory]
    [InlineData(2, "unknown model 'lama-3.1-8b-foo'", "plan lama-3.1-8b-foo")]
    [InlineData(2, "rtx-4090", "plan 7b --gpu rtx-4099")]
    [InlineData(2, "q4_k_m", "plan 7b --precision q4_k_n")]
    [InlineData(2, "unknown engine 'vlm'", "plan 7b --engine vlm")]
    [InlineData(2, "--context takes a number of tokens", "plan 7b --context 0")]
    [InlineData(2, "--context takes a number of tokens", "plan 7b --context 99999999999999999999")]
    [InlineData(2, "--batch takes a whole number", "plan 7b --batch -3")]
    [InlineData(2, "tp=2,pp=1,ep=1", "plan 7b --parallel tp=zero")]
    [InlineData(2, "cannot be divided among tp=3", "plan llama-3.1-8b --engine vllm --parallel tp=3")]
    [InlineData(2, "--utilization takes a fraction", "plan 7b --engine vllm --utilization 1.5")]
    [InlineData(2, "--gpu-layers is an option of llama.cpp", "plan 7b --gpu-layers 3")]
    [InlineData(2, "unknown KV cache precision", "plan 7b --kv-precision q9")]
    [InlineData(2, "outside what a bare size stands for", "plan 900000b")]
    [InlineData(3, "no such file", "plan ./missing.gguf")]
    [InlineData(3, "no such file", "plan 7b --catalog /no/such/catalog.json")]
    [InlineData(2, "--explian", "plan 7b --explian")]
    public void A_mistake_gets_a_sentence_and_the_right_exit_code(int exitCode, string sentence, string command)
    {
        var run = CommandRun.Of(command.Split(' '));
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public void The_users_own_catalog_adds_models_and_gpus()
    {
        using var folder = new TemporaryFolder();
        var gpus = folder.Write("gpus.json", """{ "schema": "plimsoll.gpu-catalog/1", "gpus": [ { "id": "my-card", "name": "My Card", "vendor": "NVIDIA", "memory_gib": 40 } ] }""");
        var run = CommandRun.Of("plan", "7b", "--gpu", "my-card", "--catalog", gpus);
        Assert.Equal("", run.Error);
        Assert.Contains("FITS on My Card", run.Output, StringComparison.Ordinal);
    }
}
