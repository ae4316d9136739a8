using Plimsoll.Testing.Builders;

namespace Plimsoll.Cli.Tests.Run;

public sealed class RunCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string model;

    public RunCommandTests()
    {
        model = TinyFolder.Write(folder, TinyModels.Llama(), "llama", """ "rope_theta": 10000.0 """);
        folder.Write("hf/tokenizer.json", TinyTokenizer.ByteLevel());
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_answer_is_the_text_and_the_talk_is_speed_and_memory()
    {
        var run = CommandRun.Of("run", model, "--prompt", "the hand in", "-n", "8");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.NotEqual("", run.Output.Trim());
        Assert.Matches(@"^prompt: \d+ tokens.*; generated: [1-8] tokens.*; memory: .* at the peak, .* planned\n$", run.Error);
    }

    [Fact]
    public void Greedy_text_is_the_same_each_time_whatever_the_threads()
    {
        var one = CommandRun.Of("run", model, "--prompt", "the hand", "-n", "12", "--threads", "1", "--json").Json;
        var two = CommandRun.Of("run", model, "--prompt", "the hand", "-n", "12", "--threads", "2", "--json").Json;
        Assert.Equal(one.GetProperty("text").GetString(), two.GetProperty("text").GetString());
        Assert.Equal(one.GetProperty("prompt_tokens").GetInt32(), two.GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public void The_seed_decides_what_is_drawn()
    {
        string Draw(string seed) => CommandRun.Of("run", model, "--prompt", "the hand", "-n", "12", "--temperature", "2", "--seed", seed).Output;
        Assert.Equal(Draw("1"), Draw("1"));
        Assert.NotEqual(Draw("1"), Draw("2"));
    }

    [Fact]
    public void A_prompt_can_come_from_a_file()
    {
        var file = folder.Write("prompt.txt", "the hand");
        var fromFile = CommandRun.Of("run", model, "--file", file, "-n", "6");
        Assert.Equal(CommandRun.Of("run", model, "--prompt", "the hand", "-n", "6").Output, fromFile.Output);
    }

    [Theory]
    [InlineData(3, "prompt has 5 tokens, more than the context of 4", "--prompt", "the hand", "--context", "4")]
    [InlineData(2, "a context of 1,024 tokens is beyond the 256 that the model was made for", "--prompt", "the", "--context", "1k")]
    [InlineData(2, "--kv-precision takes f32, f16, bf16, q8_0 or q4_0, not 'int3'", "--prompt", "the", "--kv-precision", "int3")]
    [InlineData(2, "a cache in Q8_0 holds blocks of 32, and the heads of this model have 16 elements", "--prompt", "the", "--kv-precision", "q8_0")]
    [InlineData(2, "--prompt is empty", "--prompt", "")]
    [InlineData(2, "exclude each other", "--prompt", "a", "--file", "b")]
    [InlineData(3, "no such file", "--file", "nowhere.txt")]
    [InlineData(2, "a temperature from 0 to 100, found -1\n", "--prompt", "a", "--temperature", "-1")]
    [InlineData(2, "a top-p above 0 and at most 1", "--prompt", "a", "--top-p", "0")]
    [InlineData(2, "-n takes a whole number from 0", "--prompt", "a", "-n", "-3")]
    public void What_cannot_be_done_is_said_in_a_sentence(int exitCode, string message, params string[] options)
    {
        var run = CommandRun.Of(["run", model, .. options]);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("our bug", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_that_is_not_text_is_refused()
    {
        var file = folder.Write("prompt.txt", [0x61, 0xFF, 0xFE]);
        var run = CommandRun.Of("run", model, "--file", file);
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("not UTF-8", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_architecture_that_cannot_be_run_is_refused_by_name()
    {
        folder.Write("hf/config.json", """{ "model_type": "falcon", "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "vocab_size": 320 }""");
        var run = CommandRun.Of("run", model, "--prompt", "a");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("'falcon' is refused: it cannot be run", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_does_not_fit_is_refused_before_it_loads_unless_forced()
    {
        var refused = CommandRun.Of(environment => environment with { AvailableMemory = () => 10_000_000 }, "run", model, "--prompt", "the", "-n", "4");
        Assert.Equal(4, refused.ExitCode);
        Assert.Contains("of memory and 9.54 MiB are free", refused.Error, StringComparison.Ordinal);
        Assert.Contains("--force runs it anyway", refused.Error, StringComparison.Ordinal);

        var forced = CommandRun.Of(environment => environment with { AvailableMemory = () => 10_000_000 }, "run", model, "--prompt", "the", "-n", "4", "--force");
        Assert.Equal(0, forced.ExitCode);
    }

    [Fact]
    public void The_planned_memory_is_that_of_the_plan()
    {
        var run = CommandRun.Of("run", model, "--prompt", "the hand", "--context", "200", "--json").Json;
        var plan = CommandRun.Of("plan", model, "--engine", "plimsoll", "--context", "200", "--prompt", run.GetProperty("prompt_tokens").GetInt32().ToString(), "--json").Json;
        Assert.Equal(plan.GetProperty("peak").GetProperty("total_bytes").GetInt64(), run.GetProperty("planned_bytes").GetInt64());
    }

    /// <summary>A really trained model. That the tokens are llama.cpp's is tested where the runtime is.</summary>
    [Fact]
    public void A_trained_model_tells_its_story()
    {
        var run = CommandRun.Of("run", SharedData.Require("models/stories260k/stories260K-f32.gguf"), "--prompt", "Once upon a time", "-n", "40", "--kv-precision", "f32");
        Assert.Equal(", there was a little girl named Lily. She loved to play outside in the park", run.Output.TrimEnd()[..75]);
    }
}
