using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Tests.Training;

/// <summary>torchtune's published ladder on Llama 3.2 3B (batch 2, 4,096 packed tokens, A100): every lever saves, in the published order.</summary>
public class LadderTests
{
    private const double GiB = 1024.0 * 1024 * 1024;

    /// <summary>README of torchtune @bd2a0fc7c, in GiB.</summary>
    private static readonly (string Rung, double Measured, TrainingRequest Request)[] Rungs = Build();

    [Fact]
    public void Every_rung_of_the_ladder_needs_less_than_the_one_before()
    {
        var before = double.MaxValue;
        foreach (var (rung, _, request) in Rungs)
        {
            var peak = TrainingPlanner.Plan(request).Allocated() / GiB;
            Assert.True(peak < before, $"{rung}: {peak:0.0} GiB after {before:0.0}");
            before = peak;
        }
    }

    [Fact]
    public void Every_rung_is_predicted_within_fifteen_percent() => Assert.All(Rungs, rung =>
        Assert.InRange(TrainingPlanner.Plan(rung.Request).Allocated() / GiB / rung.Measured, 0.85, 1.15));

    private static (string Rung, double Measured, TrainingRequest Request)[] Build()
    {
        var packed = TrainingRuns.Full("llama-3.2-3b", optimizer: "adamw-bf16", trainer: "torchtune") with { MasterWeights = false, SequenceLength = 4096, MicroBatch = 2 };
        var compiled = packed with { Compiled = true };
        var chunked = compiled with { Loss = LossKind.Chunked };
        var checkpointed = chunked with { Checkpointing = Checkpointing.Full };
        var inBackward = checkpointed with { OptimizerInBackward = true };
        var offloaded = inBackward with { Offload = TrainingOffload.Activations };
        var eightBit = offloaded with { Optimizer = OptimizerCatalog.Find("adamw-8bit")! };
        var lora = TrainingRuns.Lora("llama-3.2-3b", 8, trainer: "torchtune") with
        {
            Optimizer = packed.Optimizer,
            SequenceLength = 4096,
            MicroBatch = 2,
            Compiled = true,
            Loss = LossKind.Chunked,
            Checkpointing = Checkpointing.Full,
            Offload = TrainingOffload.Activations,
        };
        var qlora = lora with { Method = TrainingMethod.Qlora, Weights = TrainingRuns.Lora("llama-3.2-3b", quantized: "nf4-dq").Weights };
        return
        [
            ("packed", 60.0, packed), ("compile", 51.0, compiled), ("chunked loss", 42.9, chunked), ("checkpointing", 24.9, checkpointed), ("optimizer in backward", 23.1, inBackward),
            ("activation offload", 21.8, offloaded), ("8-bit optimizer", 17.6, eightBit), ("LoRA", 8.5, lora), ("QLoRA", 4.6, qlora),
        ];
    }
}
