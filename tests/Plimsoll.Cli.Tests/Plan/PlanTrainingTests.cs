namespace Plimsoll.Cli.Tests.Plan;

/// <summary><c>plan --for training|lora|qlora</c> from the command line.</summary>
public class PlanTrainingTests
{
    [Theory]
    [InlineData("training-7b-textbook.txt", "plan 7b --for training --precision bf16 --optimizer adamw-bf16 --master-weights fp32 --explain")]
    [InlineData("qlora-8b.txt", "plan llama-3.1-8b --for qlora --rank 32 --lora-targets all-linear --checkpointing full --context 4096 --gpu rtx-4090")]
    [InlineData("training-70b-fsdp.txt", "plan llama-3.1-70b --for training --checkpointing full --gpu 8xh100 --parallel dp=8,zero=3 --offload optimizer")]
    public void The_answer_can_be_read(string golden, string command)
    {
        var run = CommandRun.Of(command.Split(' '));
        Golden.Match(golden, $"$ plimsoll {command}\n{run.Output}{run.Error}exit {run.ExitCode}\n");
    }

    [Fact]
    public void The_json_of_a_lora_plan_is_stable() =>
        Golden.Match("lora-8b.json", CommandRun.Of("plan", "llama-3.1-8b", "--for", "lora", "--gpu", "rtx-4090", "--json").Output);

    [Theory]
    [InlineData("--optimizer adamw-bf16 --master-weights fp32", 84.0)]
    [InlineData("", 112.0)]
    [InlineData("--optimizer adamw-bf16 --master-weights none", 56.0)]
    public void The_states_of_seven_billion_parameters_are_exact(string options, double gigabytes)
    {
        var workload = CommandRun.Of([.. "plan 7b --for training --precision bf16 --json".Split(' '), .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]).Json.GetProperty("workload");
        Assert.Equal((long)(gigabytes * 1e9), workload.GetProperty("states_bytes").GetInt64());
        Assert.Equal("training", workload.GetProperty("kind").GetString());
    }

    [Theory]
    [InlineData("training")]
    [InlineData("lora")]
    [InlineData("qlora")]
    public void The_phases_of_the_json_sum_to_the_peak(string kind)
    {
        var answer = CommandRun.Of("plan", "qwen3-8b", "--for", kind, "--gpu", "a100-80gb", "--json").Json;
        var peak = answer.GetProperty("peak");
        var phase = answer.GetProperty("phases").EnumerateArray().Single(candidate => candidate.GetProperty("name").GetString() == peak.GetProperty("phase").GetString());
        Assert.Equal(peak.GetProperty("total_bytes").GetInt64(), phase.GetProperty("lines").EnumerateArray().Sum(line => line.GetProperty("bytes").GetInt64()));
        Assert.Equal(["load", "forward", "backward", "optimizer step"], answer.GetProperty("phases").EnumerateArray().Select(each => each.GetProperty("name").GetString()));
        Assert.Equal(kind, answer.GetProperty("workload").GetProperty("kind").GetString());
    }

    [Fact]
    public void The_limits_name_the_longest_sample_and_the_largest_micro_batch()
    {
        var limits = CommandRun.Of("plan", "llama-3.1-8b", "--for", "qlora", "--checkpointing", "full", "--gpu", "rtx-4090", "--json").Json.GetProperty("limits");
        Assert.InRange(limits.GetProperty("max_context").GetInt64(), 2048, 131_072);
        Assert.InRange(limits.GetProperty("max_batch").GetInt32(), 1, 64);
    }

    [Fact]
    public void The_levers_of_training_end_in_a_combination_that_fits()
    {
        var answer = CommandRun.Of([.. "plan 13b --for training --gpu a100-80gb --context 4096 --micro-batch 4 --what-if --json".Split(' ')]).Json.GetProperty("what_if");
        Assert.Contains(answer.GetProperty("levers").EnumerateArray(), lever => lever.GetProperty("action").GetString() == "--checkpointing full");
        Assert.True(answer.GetProperty("combination_fits").GetBoolean());
        Assert.InRange(answer.GetProperty("combination_peak_bytes").GetInt64(), 1, 80L << 30);
    }

    [Theory]
    [InlineData("plan llama-3.1-8b --for training --gpu 3xa100-80gb --parallel tp=3", "32 attention heads cannot be divided among tp=3; choose 2 or 4")]
    [InlineData("plan 7b --for lora --rank 5000", "choose a rank of at most 4096")]
    [InlineData("plan 7b --for training --batch 0", "--batch takes a whole number from 1")]
    [InlineData("plan 7b --for training --parallel zero=3", "choose dp=2 or more")]
    [InlineData("plan 7b --for training --precision fp16 --gpu gtx-1080-ti", "no usable FP16 arithmetic; choose --precision fp32")]
    [InlineData("plan 7b --for training --precision bf16 --gpu t4", "no BF16 arithmetic; choose --precision fp16")]
    [InlineData("plan 7b --for training --gpu 8xh100 --parallel dp=4,tp=4", "uses 16 GPUs, --gpu names 8")]
    [InlineData("plan 7b --for training --optimizer adamx", "unknown optimizer 'adamx'")]
    [InlineData("plan 7b --for training --precision nf4", "train adapters on quantized weights: --for qlora")]
    [InlineData("plan 7b --for qlora --precision bf16", "bf16 is not quantized; choose nf4")]
    [InlineData("plan 7b --for training --rank 8", "--rank describes adapters")]
    [InlineData("plan 7b --for training --engine vllm", "--engine is an option of inference")]
    [InlineData("plan 7b --optimizer sgd", "--optimizer is an option of training")]
    [InlineData("plan 7b --for lora --lora-targets wq", "no linear layer of 7b is called 'wq'")]
    [InlineData("plan 7b --for training --checkpointing most", "--checkpointing takes none, selective or full, not 'most'")]
    [InlineData("plan 7b --for training --trainer jax", "unknown trainer 'jax'")]
    [InlineData("plan 7b --for training --parallel zero=4", "'zero=4' is not one of them")]
    [InlineData("plan 7b --for pretraining", "pretraining")]
    public void A_mistake_gets_a_sentence_and_exit_code_two(string command, string sentence)
    {
        var run = CommandRun.Of(command.Split(' '));
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
        Assert.Equal(2, run.ExitCode);
        Assert.Equal("", run.Output);
    }
}
