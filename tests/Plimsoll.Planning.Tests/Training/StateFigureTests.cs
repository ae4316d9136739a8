using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Tests.Training;

/// <summary>States are exact: weights, master weights, gradients and moments, per parameter.</summary>
public class StateFigureTests
{
    private const double GiB = 1024.0 * 1024 * 1024;

    [Theory]
    [InlineData("bf16", "adamw-bf16", true, 84.0)] // 2 + 2 + 2 + 2 + 4
    [InlineData("bf16", "adamw", true, 112.0)] // 2 + 2 + 4 + 4 + 4
    [InlineData("bf16", "adamw-bf16", false, 56.0)] // 2 + 2 + 2 + 2
    [InlineData("fp16", "adamw", true, 112.0)]
    [InlineData("fp32", "adamw", true, 112.0)] // 4 + 4 + 4 + 4: no second master
    [InlineData("bf16", "sgd", false, 28.0)]
    [InlineData("bf16", "lion-bf16", false, 42.0)]
    [InlineData("bf16", "momentum", false, 56.0)]
    public void Seven_billion_parameters_have_the_states_of_the_textbook(string precision, string optimizer, bool master, double gigabytes)
    {
        var plan = TrainingPlanner.Plan(TrainingRuns.Full("7b", precision, optimizer) with { MasterWeights = master });
        Assert.Equal((long)(gigabytes * 1e9), plan.Devices[0].States());
    }

    /// <summary>torchao's table (torchao/optim/README.md): Llama-2-7B, full BF16 fine-tuning on Alpaca with torchtune.</summary>
    [Theory]
    [InlineData("adamw-bf16", 8.00, 51.6)]
    [InlineData("adamw-8bit", 6.03, 39.2)]
    [InlineData("adamw-4bit", 5.06, 33.2)]
    public void Peaks_of_Llama_2_7B_are_within_two_percent_of_the_measured_ones(string optimizer, double bytesPerParameter, double measuredGiB)
    {
        var request = TrainingRuns.Full("llama-2-7b", optimizer: optimizer, trainer: "torchtune") with
        {
            MasterWeights = false,
            Checkpointing = Checkpointing.Full,
            SequenceLength = 1304,
            MicroBatch = 2,
            Accumulation = 2,
        };
        var plan = TrainingPlanner.Plan(request);
        Assert.Equal(bytesPerParameter, (double)plan.Devices[0].States() / request.Model.Parameters, 0.005);
        Assert.InRange(plan.Allocated() / GiB / measuredGiB, 0.98, 1.02);
    }

    [Fact]
    public void Small_tensors_keep_their_8_bit_states_in_fp32()
    {
        var state = OptimizerCatalog.Find("adamw_bnb_8bit")!.States[0];
        Assert.Equal(4 * 4095, state.BytesFor(new() { Name = "norm", Dimensions = [4095], Role = Models.TensorRole.Norm }));
        Assert.Equal(4096 + 4 * 16, state.BytesFor(new() { Name = "norm", Dimensions = [4096], Role = Models.TensorRole.Norm }));
    }

    /// <summary>LitGPT prints the first three (r = 8 on query and value), PEFT's comparison the last two (r = 32 and 64).</summary>
    [Theory]
    [InlineData("llama-2-7b", 8, 4_194_304)]
    [InlineData("llama-2-13b", 8, 6_553_600)]
    [InlineData("phi-1.5-1.3b", 8, 1_572_864)]
    [InlineData("llama-3.2-3b", 32, 9_175_040)]
    [InlineData("llama-3.2-3b", 64, 18_350_080)]
    public void Trainable_parameters_of_lora_are_those_that_frameworks_print(string model, int rank, long parameters) =>
        Assert.Equal(parameters, AdapterPlacement.Parameters(TrainingRuns.Model(model), new(rank, "default")));

    [Fact]
    public void Fused_projections_carry_one_adapter_each()
    {
        // falcon-7b: query_key_value of 4672 x 4544 in each of 32 layers.
        Assert.Equal(32L * 16 * (4672 + 4544), AdapterPlacement.Parameters(TrainingRuns.Model("tiiuae/falcon-7b"), new(16, "default")));
    }

    [Fact]
    public void Dora_adds_one_magnitude_per_output()
    {
        var model = TrainingRuns.Model("llama-3.2-3b");
        var lora = AdapterPlacement.Parameters(model, new(32, "default"));
        Assert.Equal(lora + 28 * (3072 + 1024), AdapterPlacement.Parameters(model, new(32, "default") { Dora = true }));
    }

    [Fact]
    public void A_qlora_base_weighs_what_its_quantization_stores()
    {
        var request = TrainingRuns.Lora("llama-2-7b", quantized: "nf4-dq", trainer: "torchtune");
        var weights = TrainingPlanner.Plan(request).Phases[0].Sum(line => line.Name == "weights").Expected;
        Assert.Equal(request.Weights.Total.Bytes, weights);
    }

    [Fact]
    public void Every_optimizer_names_its_source()
    {
        Assert.All(OptimizerCatalog.All, optimizer => Assert.True(optimizer.Source.Length > 10));
        Assert.Equal(OptimizerCatalog.All.Length, OptimizerCatalog.All.Select(optimizer => optimizer.Id).Distinct().Count());
    }
}
