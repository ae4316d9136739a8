using System.Text.Json;

namespace Plimsoll.Cli.Tests.Plan;

public class PlanLaunchTests
{
    [Theory]
    [InlineData("emit-kubernetes.txt", "plan llama-3.1-70b --gpu 4xh100 --emit vllm --emit kubernetes")]
    [InlineData("emit-rpc.txt", "plan llama-3.1-70b -p q4_k_m --gpu 4xrtx-3090 --emit llama.cpp --gpus-per-node 2 --kv-precision q8_0")]
    [InlineData("emit-transformers.txt", "plan llama-3.1-8b -p nf4-dq --gpu rtx-3060 --emit transformers")]
    public void What_starts_the_run_follows_the_table(string golden, string command)
    {
        var run = CommandRun.Of(command.Split(' '));
        var texts = run.Output[run.Output.IndexOf("Confidence:", StringComparison.Ordinal)..];
        Golden.Match(golden, $"$ plimsoll {command}\n{texts}{run.Error}exit {run.ExitCode}\n");
    }

    [Fact]
    public void The_json_holds_command_and_text()
    {
        var launch = CommandRun.Of("plan", "llama-3.1-8b", "-p", "q4_k_m", "--gpu", "rtx-4090", "--emit", "llama.cpp", "--emit", "kubernetes", "--json").Json.GetProperty("launch");
        Assert.Equal(["llama.cpp", "kubernetes"], launch.EnumerateArray().Select(item => item.GetProperty("engine").GetString()));
        Assert.StartsWith("llama-server -m ./Llama-3.1-8B-Q4_K_M.gguf -ngl 33 -c 8192 -np 1 ", launch[0].GetProperty("command").GetString(), StringComparison.Ordinal);
        Assert.Contains("kind: Deployment", launch[1].GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Array, launch[0].GetProperty("notes").ValueKind);
    }

    [Fact]
    public void Without_emit_nothing_is_written() =>
        Assert.False(CommandRun.Of("plan", "llama-3.1-8b", "--gpu", "rtx-4090", "--json").Json.TryGetProperty("launch", out _));

    [Fact]
    public void A_target_chooses_the_engine_when_none_is_named() =>
        Assert.Equal("vllm", CommandRun.Of("plan", "llama-3.1-8b", "--gpu", "h100", "--emit", "VLLM", "--json").Json.GetProperty("workload").GetProperty("engine").GetString());

    [Fact]
    public void A_training_plan_becomes_a_configuration()
    {
        var launch = CommandRun.Of("plan", "llama-3.1-8b", "--for", "qlora", "--rank", "32", "--lora-targets", "all-linear", "--checkpointing", "full", "--gpu", "a100-80gb", "--emit", "axolotl", "--json").Json.GetProperty("launch")[0];
        Assert.Equal("axolotl train axolotl.yaml", launch.GetProperty("command").GetString());
        Assert.Contains("\nadapter: qlora\nload_in_4bit: true\n", launch.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Contains("\nlora_r: 32\n", launch.GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_plan_that_does_not_fit_is_not_launched()
    {
        var run = CommandRun.Of("plan", "llama-3.1-70b", "--gpu", "rtx-4090", "--emit", "vllm");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("DOES NOT FIT", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("vllm serve", run.Output, StringComparison.Ordinal);
        Assert.Contains("nothing is written for --emit vllm: the plan does not fit", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--emit vllm starts vllm, and the plan is for llama.cpp", "plan llama-3.1-8b -p q4_k_m --engine llama.cpp --emit vllm")]
    [InlineData("--emit llama.cpp starts llama.cpp, and the plan is for vllm", "plan llama-3.1-8b --emit vllm --emit llama.cpp")]
    [InlineData("int4 cannot be launched. Plain int4 stores no scales", "plan llama-3.1-8b -p int4 --emit vllm")]
    [InlineData("7b is a size, not a model", "plan 7b --emit transformers")]
    [InlineData("--emit axolotl starts training, and the plan is for inference", "plan llama-3.1-8b --emit axolotl")]
    [InlineData("--emit vllm starts inference, and the plan is for training", "plan llama-3.1-8b --for lora --emit vllm")]
    [InlineData("--emit takes vllm, llama.cpp,", "plan llama-3.1-8b --emit vlm")]
    [InlineData("--image belongs to --emit", "plan llama-3.1-8b --image my/image")]
    [InlineData("12 GPUs do not fill machines of 8 evenly", "plan llama-3.1-405b --gpu 12xh200 --engine vllm --parallel tp=4,pp=3 --emit vllm")]
    [InlineData("transformers is no server that a pod could run", "plan llama-3.1-8b --emit kubernetes")]
    [InlineData("--emit writes no command for a draft model", "plan llama-3.1-70b -p q4_k_m --draft llama-3.2-1b --emit llama.cpp")]
    public void A_contradiction_gets_a_sentence(string sentence, string command)
    {
        var run = CommandRun.Of(command.Split(' '));
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
        Assert.Equal(2, run.ExitCode);
        Assert.Equal("", run.Output);
    }
}
