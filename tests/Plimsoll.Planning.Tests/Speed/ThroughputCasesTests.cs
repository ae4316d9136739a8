using Plimsoll.Planning.Accuracy;

namespace Plimsoll.Planning.Tests.Speed;

public class ThroughputCasesTests
{
    private static readonly ThroughputCases Cases = ThroughputCases.Default;

    private static readonly ThroughputCase Row = new()
    {
        Id = "1",
        Framework = "vLLM",
        Model = "Qwen2.5-14B-Instruct",
        Quant = "GPTQ-Int4",
        Gpu = "A100 80GB",
        Gpus = 2,
        InputTokens = 6144,
        Metric = "tokens/s per doc",
        Value = 83.11,
        Source = "QwenLM Qwen2.5/Qwen2 speed_benchmark.rst @f4d356c",
    };

    [Fact]
    public void A_line_is_read_and_understood()
    {
        var row = ThroughputCase.Read("""{"id":"xd-1","source":"s","framework":"llama.cpp (May 2024)","model":"LLaMA 3 8B","quant":"Q4_K_M","gpu":"4090 24GB * 2","metric":"decode tok/s (1024 tokens generated)","value":122.5,"oom":false}""");
        var (setting, problem) = Cases.Interpret(row);
        Assert.Null(problem);
        Assert.Equal(("llama.cpp", "May 2024", "gguf:q4_k_m", 2, "rtx-4090", 0, 1024), (setting!.Engine, setting.EngineVersion, setting.Precision, setting.Gpus.Count, setting.Gpus.Gpu.Id, setting.PromptTokens, setting.Generated));
    }

    [Fact]
    public void The_engine_version_and_what_is_counted_come_from_the_page()
    {
        Assert.Equal(("0.6.3", false), Page(Row));
        Assert.Equal(("0.4.2", false), Page(Row with { Model = "Qwen2-72B-Instruct" }));
        Assert.Equal(("0.4.6.post1", true), Page(Row with { Framework = "SGLang", Model = "Qwen3-14B", Source = "QwenLM/Qwen3 speed_benchmark.md @HEAD" }));
    }

    [Fact]
    public void An_out_of_memory_verdict_has_no_speed_but_keeps_its_meaning()
    {
        var outcome = Cases.Evaluate(Row with { Framework = "llama.cpp", Quant = "F16", Metric = "prompt tok/s (1024-token prompt)", Value = null, OutOfMemory = true });
        Assert.Equal("an out-of-memory verdict has no speed", outcome.RefusedBecause);
        Assert.Equal(("gguf:f16", 1024, 0), (outcome.Setting!.Precision, outcome.Setting.PromptTokens, outcome.Setting.Generated));
    }

    [Fact]
    public void What_a_case_does_not_say_is_refused_with_the_reason()
    {
        Assert.Equal("the case does not state the length of the prompt", Refusal(Row with { InputTokens = null }));
        Assert.Equal("the engine 'TensorRT-LLM' is unknown", Refusal(Row with { Framework = "TensorRT-LLM" }));
        Assert.Equal("the precision 'EXL2' is unknown", Refusal(Row with { Quant = "EXL2" }));
        Assert.Equal("the metric 'images/s' is unknown", Refusal(Row with { Metric = "images/s" }));
        Assert.Equal("the model 'Qwen9-1T' is not in the catalog", Refusal(Row with { Model = "Qwen9-1T" }));
        Assert.StartsWith("unknown GPU 'B9000'", Refusal(Row with { Gpu = "B9000" }), StringComparison.Ordinal);
        Assert.Equal("the page that the case comes from is unknown, and with it what 'tokens/s per doc' counts", Refusal(Row with { Source = "a blog" }));
    }

    // XiongjieDai/GPU-Benchmarks-on-LLM-Inference, QwenLM speed pages: public measurements that this project did not make.
    [Fact]
    public void Measured_speeds_are_met_and_the_bounds_hold_nine_of_ten()
    {
        var outcomes = File.ReadLines(SharedData.Require("validation/throughput_cases.jsonl")).Select(ThroughputCase.Read).Select(Cases.Evaluate).ToList();
        var predicted = outcomes.Where(outcome => outcome.Predicted is not null).ToList();
        var withSpeed = outcomes.Count(outcome => outcome.Measured is not null);
        Assert.True(predicted.Count >= 0.97 * withSpeed, $"{predicted.Count} of {withSpeed} predicted");

        var errors = predicted.Select(outcome => Math.Abs(outcome.Error!.Value)).Order().ToList();
        Assert.InRange(errors[errors.Count / 2], 0, 0.05);
        Assert.InRange(errors[errors.Count * 9 / 10], 0, 0.15);
        foreach (var group in predicted.GroupBy(outcome => outcome.Group))
        {
            Assert.InRange(group.Select(outcome => Math.Abs(outcome.Error!.Value)).Order().ElementAt(group.Count() / 2), 0, 0.1);
            Assert.True(group.Average(outcome => outcome.WithinBounds ? 1 : 0) >= 0.9, $"{group.Key}: bounds do not hold");
        }
    }

    [Fact]
    public void Every_out_of_memory_verdict_says_which_model_and_GPU_it_means()
    {
        var verdicts = File.ReadLines(SharedData.Require("validation/throughput_cases.jsonl")).Select(ThroughputCase.Read).Where(row => row.OutOfMemory).ToList();
        Assert.True(verdicts.Count > 30);
        Assert.All(verdicts, row => Assert.NotNull(Cases.Interpret(row).Setting));
    }

    private static (string?, bool) Page(ThroughputCase row) => Cases.Interpret(row).Setting is { } setting ? (setting.EngineVersion, setting.CountsPrompt) : default;

    private static string? Refusal(ThroughputCase row) => Cases.Evaluate(row).RefusedBecause;
}
