using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Tests.Training;

/// <summary>Runs that cannot exist are refused with the conflict and a valid choice.</summary>
public class TrainingConflictTests
{
    [Fact]
    public void Heads_that_cannot_be_divided_name_a_degree_that_can() =>
        Refused(TrainingRuns.Full("llama-3.1-8b") with { Parallel = new(1, 3) }, "32 attention heads cannot be divided among tp=3; choose 2 or 4");

    [Fact]
    public void Experts_that_cannot_be_divided_are_named() =>
        Refused(TrainingRuns.Full("qwen3-30b-a3b") with { Parallel = new(3, 1, 1, 3) }, "128 experts cannot be divided among ep=3");

    [Fact]
    public void A_dense_model_has_no_experts_to_divide() =>
        Refused(TrainingRuns.Full("llama-3.1-8b") with { Parallel = new(2, 1, 1, 2) }, "has no experts");

    [Fact]
    public void There_are_no_more_stages_than_layers() =>
        Refused(TrainingRuns.Full("llama-3.1-8b") with { Parallel = new(1, 1, 33) }, "choose at most pp=32");

    [Fact]
    public void Zero_needs_several_devices() =>
        Refused(TrainingRuns.Full("llama-3.1-8b") with { Parallel = new(1) { Sharding = Sharding.Weights } }, "choose dp=2");

    [Fact]
    public void A_rank_is_at_most_the_smaller_side_of_its_matrix() =>
        Refused(TrainingRuns.Lora("llama-3.1-8b", 2048), "larger than the matrix v_proj of 1024 x 4096; choose a rank of at most 1024");

    [Fact]
    public void A_target_that_no_layer_has_lists_those_there_are() =>
        Refused(TrainingRuns.Lora("llama-3.1-8b", 8, "wq"), "choose from down_proj, gate_proj, k_proj");

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void A_batch_or_sequence_of_nothing_is_refused(int batch, int sequence) =>
        Refused(TrainingRuns.Full("7b") with { MicroBatch = batch, SequenceLength = sequence }, "trains nothing");

    [Fact]
    public void Quantized_weights_cannot_be_trained() =>
        Refused(TrainingRuns.Full("7b") with { Weights = TrainingRuns.Lora("7b", quantized: "nf4").Weights }, "cannot be trained");

    [Fact]
    public void An_optimizer_in_the_backward_pass_cannot_accumulate() =>
        Refused(TrainingRuns.Full("7b", optimizer: "lomo") with { Accumulation = 4 }, "--accumulate 1");

    [Fact]
    public void A_gpu_without_fp16_or_bf16_is_named()
    {
        var pascal = GpuCatalog.Default.Find("gtx-1080")!;
        var conflict = Assert.Throws<TrainingConflictException>(() => TrainingChecks.Check(TrainingRuns.Full("7b", "fp16"), pascal));
        Assert.Contains("no usable FP16 arithmetic; choose --precision fp32", conflict.Message, StringComparison.Ordinal);
        Assert.Throws<TrainingConflictException>(() => TrainingChecks.Check(TrainingRuns.Full("7b"), pascal));
    }

    private static void Refused(TrainingRequest request, string sentence) =>
        Assert.Contains(sentence, Assert.Throws<TrainingConflictException>(() => TrainingPlanner.Plan(request)).Message, StringComparison.Ordinal);
}
