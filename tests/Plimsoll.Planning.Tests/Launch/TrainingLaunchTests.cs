using System.Text.Json;
using Plimsoll.Planning.Launch;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Tests.Launch;

public class TrainingLaunchTests
{
    [Theory]
    [InlineData(Sharding.OptimizerStates, 1)]
    [InlineData(Sharding.Gradients, 2)]
    [InlineData(Sharding.Weights, 3)]
    public void DeepSpeed_gets_the_stage_and_a_consistent_batch(Sharding sharding, int stage)
    {
        var launch = Launches.Training(change: request => request.On(4, sharding) with { MicroBatch = 2, Accumulation = 8 });
        var json = JsonDocument.Parse(Launcher.Create("deepspeed", launch).Text).RootElement;
        Assert.Equal(stage, json.GetProperty("zero_optimization").GetProperty("stage").GetInt32());
        Assert.Equal(2 * 8 * 4, json.GetProperty("train_batch_size").GetInt32());
        Assert.True(json.GetProperty("bf16").GetProperty("enabled").GetBoolean());
        Assert.Equal("AdamW", json.GetProperty("optimizer").GetProperty("type").GetString());
        Assert.Equal(stage == 3, json.GetProperty("zero_optimization").TryGetProperty("stage3_gather_16bit_weights_on_model_save", out _));
    }

    [Fact]
    public void What_the_plan_keeps_in_ram_deepspeed_keeps_in_ram()
    {
        var launch = Launches.Training(change: request => request.On(4, Sharding.Weights) with { Offload = TrainingOffload.Optimizer | TrainingOffload.Weights });
        var zero = JsonDocument.Parse(Launcher.Create("deepspeed", launch).Text).RootElement.GetProperty("zero_optimization");
        Assert.Equal("cpu", zero.GetProperty("offload_optimizer").GetProperty("device").GetString());
        Assert.Equal("cpu", zero.GetProperty("offload_param").GetProperty("device").GetString());
    }

    [Fact]
    public void Pure_bf16_is_the_one_recipe_without_fp32_copies_that_deepspeed_has()
    {
        var launch = Launches.Training(optimizer: "adamw-bf16", change: request => request.On(4, Sharding.Gradients) with { MasterWeights = false });
        var bf16 = JsonDocument.Parse(Launcher.Create("deepspeed", launch).Text).RootElement.GetProperty("bf16");
        Assert.True(bf16.GetProperty("bf16_master_weights_and_grads").GetBoolean());
        Assert.True(bf16.GetProperty("bf16_optimizer_states").GetBoolean());
        var other = Launches.Training(change: request => request.On(4, Sharding.Gradients) with { MasterWeights = false });
        Assert.Contains("bf16 moments", Assert.Throws<LaunchRefusedException>(() => Launcher.Create("deepspeed", other)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, Sharding.None, "NO")]
    [InlineData(4, Sharding.None, "MULTI_GPU")]
    [InlineData(4, Sharding.OptimizerStates, "DEEPSPEED")]
    [InlineData(4, Sharding.Gradients, "FSDP")]
    [InlineData(4, Sharding.Weights, "FSDP")]
    public void Accelerate_divides_with_what_can_divide_so(int gpus, Sharding sharding, string type) =>
        Assert.Contains($"\ndistributed_type: {YamlText.Scalar(type)}\n", Launcher.Create("accelerate", Launches.Training(change: request => request.On(gpus, sharding))).Text, StringComparison.Ordinal);

    [Fact]
    public void The_no_of_accelerate_is_a_word_and_not_a_boolean()
    {
        var yaml = Launcher.Create("accelerate", Launches.Training(change: request => request with { Compute = ComputeType.Fp32, Weights = Planning.Weights.PrecisionScheme.Find("fp32")!.Apply(request.Model) })).Text;
        Assert.Contains("\ndistributed_type: \"NO\"\nmixed_precision: \"no\"\n", yaml, StringComparison.Ordinal);
    }

    [Fact]
    public void Fsdp_divides_weights_with_zero_3_and_keeps_them_with_zero_2()
    {
        Assert.Contains("  fsdp_reshard_after_forward: true\n", Launcher.Create("accelerate", Launches.Training(change: request => request.On(4, Sharding.Weights))).Text, StringComparison.Ordinal);
        Assert.Contains("  fsdp_reshard_after_forward: false\n", Launcher.Create("accelerate", Launches.Training(change: request => request.On(4, Sharding.Gradients))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_machines_are_told_their_place()
    {
        var launched = Launcher.Create("accelerate", Launches.Training(change: request => request.On(16, Sharding.Weights)));
        Assert.Contains("# 2 machines x 8 GPUs = 16 ranks (A100 SXM4 80GB).\n", launched.Text, StringComparison.Ordinal);
        Assert.Contains("\nnum_machines: 2\nnum_processes: 16\n", launched.Text, StringComparison.Ordinal);
        Assert.Contains("--machine_rank \"$NODE_RANK\" --main_process_ip \"$HEAD_NODE_IP\"", launched.Command, StringComparison.Ordinal);
        Assert.Contains("--nnodes=2 --nproc_per_node=8", Launcher.Create("axolotl", Launches.Training(change: request => request.On(16, Sharding.Weights))).Command, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nf4-dq", false)]
    [InlineData("nf4", true)]
    public void Axolotl_quantizes_the_frozen_base_as_planned(string precision, bool saysSo)
    {
        var yaml = Launcher.Create("axolotl", Launches.Training(TrainingMethod.Qlora, precision, "paged-adamw-8bit")).Text;
        Assert.Contains("\nadapter: qlora\nload_in_4bit: true\n", yaml, StringComparison.Ordinal);
        Assert.Equal(saysSo, yaml.Contains("bnb_config_kwargs:\n  bnb_4bit_quant_type: nf4\n  bnb_4bit_use_double_quant: false\n", StringComparison.Ordinal));
        Assert.Contains("\nlora_r: 16\n", yaml, StringComparison.Ordinal);
        Assert.Contains("\nlora_target_linear: true\n", yaml, StringComparison.Ordinal);
        Assert.Contains("\noptimizer: paged_adamw_8bit\n", yaml, StringComparison.Ordinal);
        Assert.Contains("\nsequence_len: 2048\n", yaml, StringComparison.Ordinal);
    }

    [Fact]
    public void Adapter_targets_are_named_as_the_modules_are()
    {
        var launch = Launches.Training(TrainingMethod.Lora, change: request => request with { Adapter = new AdapterSettings(8, "default") { Dora = true } });
        var yaml = Launcher.Create("axolotl", launch).Text;
        Assert.Contains("\nlora_target_modules:\n  - q_proj\n  - v_proj\npeft_use_dora: true\n", yaml, StringComparison.Ordinal);
        Assert.DoesNotContain("load_in", yaml, StringComparison.Ordinal);
    }

    [Fact]
    public void Axolotl_alone_keeps_no_fp32_copies_and_the_plan_must_not_either()
    {
        Assert.Contains("keeps no FP32 copies", Assert.Throws<LaunchRefusedException>(() => Launcher.Create("axolotl", Launches.Training())).Message, StringComparison.Ordinal);
        var pure = Launches.Training(optimizer: "adamw-bf16", change: request => request with { MasterWeights = false });
        Assert.Contains("\noptimizer: adamw_torch_fused\n", Launcher.Create("axolotl", pure).Text, StringComparison.Ordinal);
        var states = Launches.Training(change: request => request with { MasterWeights = false });
        Assert.Contains("adamw-bf16", Assert.Throws<LaunchRefusedException>(() => Launcher.Create("axolotl", states)).Hint, StringComparison.Ordinal);
        var sharded = Launches.Training(change: request => request.On(8, Sharding.OptimizerStates));
        Assert.Contains("\ndeepspeed: deepspeed.json\n", Launcher.Create("axolotl", sharded).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("axolotl")]
    [InlineData("accelerate")]
    [InlineData("deepspeed")]
    public void Other_than_data_parallelism_is_refused(string target) =>
        Assert.Contains("data parallelism", Assert.Throws<LaunchRefusedException>(() => Launcher.Create(target, Launches.Training(change: request => request with { Parallel = new(Tensor: 2) }))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_target_of_the_other_kind_is_refused()
    {
        Assert.Contains("starts training", Assert.Throws<LaunchRefusedException>(() => Launcher.Create("axolotl", Launches.Serving("vllm"))).Message, StringComparison.Ordinal);
        Assert.Contains("starts inference", Assert.Throws<LaunchRefusedException>(() => Launcher.Create("vllm", Launches.Training())).Message, StringComparison.Ordinal);
    }
}
