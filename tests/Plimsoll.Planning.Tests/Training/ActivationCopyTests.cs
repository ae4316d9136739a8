using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Tests.Training;

/// <summary>Copies of the hidden state that a layer keeps, against those that stas00/ml-engineering (744d01e) measured in transformers.</summary>
public class ActivationCopyTests
{
    [Theory]
    [InlineData("HuggingFaceTB/SmolLM2-360M", 24)]
    [InlineData("llama-3.1-8b", 28)]
    [InlineData("mistral-7b-v0.1", 28)]
    [InlineData("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", 29.8)]
    [InlineData("Qwen/Qwen3-4B", 38)]
    [InlineData("google/gemma-1.1-2b-it", 48)]
    public void Layers_keep_the_measured_number_of_copies(string name, double measured)
    {
        var request = TrainingRuns.Full(name);
        var layers = request.Model.Layers.Length;
        var shallow = request with { Model = request.Model with { Layers = request.Model.Layers[..(layers - 1)] } };
        var layer = Saved(request) - Saved(shallow);
        Assert.InRange((double)layer / (request.Tokens * request.Model.HiddenSize * 2) / measured, 0.97, 1.03);
    }

    [Fact]
    public void Full_checkpointing_keeps_one_copy_per_layer()
    {
        var request = TrainingRuns.Full("llama-3.1-8b") with { Checkpointing = Checkpointing.Full };
        Assert.Equal((32 + 3) * request.Tokens * 4096 * 2, Saved(request));
    }

    [Fact]
    public void Eager_attention_grows_with_the_square_of_the_sequence()
    {
        var flash = TrainingRuns.Full("llama-3.1-8b") with { SequenceLength = 4096 };
        var scores = Saved(flash with { FlashAttention = false }) - Saved(flash);
        Assert.Equal(32L * 32 * 4096 * 4096 * 6, scores);
    }

    [Fact]
    public void Frozen_weights_keep_no_inputs_of_their_own() =>
        Assert.True(Saved(TrainingRuns.Lora("llama-3.1-8b", trainer: "torchtune")) < Saved(TrainingRuns.Full("llama-3.1-8b", trainer: "torchtune")));

    private static long Saved(TrainingRequest request) =>
        TrainingPlanner.Plan(request).Phases.Single(phase => phase.Name == "forward").Sum(line => line.Name == "saved activations").Expected;
}
