using Plimsoll.Planning.Training;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Running;
using Plimsoll.Torch.Tests.Decoders;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Tests.Running;

public class BackwardPassTests
{
    public static TheoryData<string> Families => [.. TinyModels.Families];

    /// <summary>Along the gradient itself the slope of the loss is the norm of the gradient.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void Gradients_equal_finite_differences(string family)
    {
        using var scope = NewDisposeScope();
        using var decoder = TinyModels.Learning(family);
        var (tokens, targets) = TinyModels.Batch(2, 10);
        new BackwardPass(decoder, Checkpointing.None, null).Run(tokens, targets, 1);
        var norm = Gradients.Norm(decoder.Weights);

        const double step = 2e-3;
        var (ahead, behind) = (LossAt(step / norm), LossAt(-step / norm));

        Assert.Equal(norm, (ahead - behind) / (2 * step), norm * 0.01);

        double LossAt(double along)
        {
            using var none = no_grad();
            Shift(along);
            var loss = nn.functional.cross_entropy(DecoderTests.Logits(decoder, tokens).view(-1, 64).to(ScalarType.Float64), targets.flatten(), reduction: nn.Reduction.Sum).item<double>();
            Shift(-along);
            return loss;
        }

        void Shift(double along)
        {
            foreach (var weight in decoder.Weights)
                weight.Value.add_(weight.Value.grad!, along);
        }
    }

    [Fact]
    public void Layer_by_layer_is_the_same_as_one_graph()
    {
        using var scope = NewDisposeScope();
        using var whole = TinyModels.Learning("llama");
        using var cut = TinyModels.Learning("llama");
        var (tokens, targets) = TinyModels.Batch(3, 9);

        var loss = nn.functional.cross_entropy(DecoderTests.Logits(whole, tokens).view(-1, 64), targets.flatten(), reduction: nn.Reduction.Sum);
        loss.backward();
        var sum = new BackwardPass(cut, Checkpointing.None, null).Run(tokens, targets, 1);

        Assert.Equal(loss.item<float>(), sum, 1e-4);
        AssertGradients(whole, cut, 1e-5f);
    }

    [Theory]
    [InlineData(Checkpointing.Full)]
    [InlineData(Checkpointing.Selective)]
    public void Computing_activations_again_changes_no_bit(Checkpointing checkpointing)
    {
        using var scope = NewDisposeScope();
        using var kept = TinyModels.Learning("qwen3");
        using var again = TinyModels.Learning("qwen3");
        var (tokens, targets) = TinyModels.Batch(2, 16);

        var expected = new BackwardPass(kept, Checkpointing.None, null).Run(tokens, targets, 0.5);
        var actual = new BackwardPass(again, checkpointing, null).Run(tokens, targets, 0.5);

        Assert.Equal(expected, actual);
        AssertGradients(kept, again, 0);
    }

    [Fact]
    public void Accumulating_micro_batches_equals_one_batch()
    {
        using var scope = NewDisposeScope();
        using var together = TinyModels.Learning("llama");
        using var apart = TinyModels.Learning("llama");
        var (tokens, targets) = TinyModels.Batch(4, 12);

        new BackwardPass(together, Checkpointing.None, null).Run(tokens, targets, 1.0 / 48);
        var pass = new BackwardPass(apart, Checkpointing.None, null);
        for (var row = 0; row < 4; row++)
            pass.Run(tokens.narrow(0, row, 1), targets.narrow(0, row, 1), 1.0 / 48);

        AssertGradients(together, apart, 1e-5f);
    }

    [Fact]
    public void Targets_that_are_ignored_have_no_gradient()
    {
        using var scope = NewDisposeScope();
        using var decoder = TinyModels.Learning("llama");
        var (tokens, targets) = TinyModels.Batch(1, 8);

        var sum = new BackwardPass(decoder, Checkpointing.None, null).Run(tokens, full_like(targets, Decoder.Ignored), 1);

        Assert.Equal(0, sum);
        Assert.Equal(0, Gradients.Norm(decoder.Weights));
    }

    private static void AssertGradients(Decoder expected, Decoder actual, float tolerance)
    {
        foreach (var (left, right) in expected.Weights.Zip(actual.Weights))
        {
            var difference = (left.Value.grad! - right.Value.grad!).abs().max().item<float>();
            Assert.True(difference <= tolerance, $"{left.Name}: gradients differ by {difference}");
        }
    }
}
