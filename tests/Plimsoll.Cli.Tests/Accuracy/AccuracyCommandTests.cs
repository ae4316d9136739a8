namespace Plimsoll.Cli.Tests.Accuracy;

public class AccuracyCommandTests
{
    // Figures of Qwen's speed page and of a llama.cpp log, in the shape of a case file.
    private const string Cases =
        """
        {"id":"qwen2.5-tf-057","kind":"inference","source":"speed_benchmark","framework":"transformers","version":"transformers 4.46.0","model":"Qwen2.5-7B-Instruct","arch":{},"settings":{"quant":"BF16","batch":1,"input_tokens":14336,"generated_tokens":2048,"gpus":1},"measured":{"total_mib":17315.84}}

        {"id":"vllm-016","kind":"inference","source":"log","framework":"vLLM","version":"","model":"Qwen/Qwen3-4B","arch":{},"settings":{"gpu_mib_total":12288.0,"gpu_memory_utilization":0.95,"max_model_len":10000,"max_num_seqs":1,"dtype":"fp16"},"measured":{"weights_mib":7736.52,"kv_mib":3133.44,"kv_blocks":1394,"block_size":16}}
        {"id":"odd-001","kind":"inference","source":"","framework":"TurboLLM","version":"","model":"Qwen3-4B","arch":{},"settings":{},"measured":{"total_mib":1}}
        """;

    [Fact]
    public void Measured_cases_become_errors_and_refusals()
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("accuracy", folder.Write("cases.jsonl", Cases), "--cases");
        Golden.Match("accuracy.txt", run.Output + run.Error);
        Assert.Equal(0, run.ExitCode);
    }

    [Fact]
    public void The_json_counts_what_is_refused_and_says_why()
    {
        using var folder = new TemporaryFolder();
        var answer = CommandRun.Of("accuracy", folder.Write("cases.jsonl", Cases), "--json").Json;
        var odd = answer.GetProperty("groups").EnumerateArray().Single(group => group.GetProperty("group").GetString() == "odd");
        Assert.Equal(1, odd.GetProperty("refused").GetInt32());
        Assert.Contains(answer.GetProperty("cases").EnumerateArray(), result => result.TryGetProperty("refused_because", out var reason) && reason.GetString()!.Contains("TurboLLM", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(3, "expected a JSON object on one line", "{\"id\": \"a\",")]
    [InlineData(3, "expected an object with an \"id\"", "[1]")]
    public void A_broken_line_is_named(int exitCode, string sentence, string line)
    {
        using var folder = new TemporaryFolder();
        var run = CommandRun.Of("accuracy", folder.Write("cases.jsonl", line));
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
        Assert.Contains("line 1", run.Error, StringComparison.Ordinal);
        Assert.Equal(exitCode, run.ExitCode);
    }

    [Fact]
    public void A_missing_file_is_bad_input()
    {
        var run = CommandRun.Of("accuracy", "/no/such/cases.jsonl");
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("/no/such/cases.jsonl", run.Error, StringComparison.Ordinal);
    }
}
