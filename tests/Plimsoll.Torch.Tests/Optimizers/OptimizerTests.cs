using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Optimizers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Tests.Optimizers;

public class OptimizerTests
{
    private static readonly TrainingJob Job = new() { Model = "", Data = "", Output = "", WeightDecay = 0.1, Beta2 = 0.99 };

    public static TheoryData<string> Names => [.. OptimizerTable.Names];

    /// <summary>libtorch's own optimizers, over a least-squares problem.</summary>
    [Theory]
    [InlineData("adamw")]
    [InlineData("sgd")]
    [InlineData("momentum")]
    public void Steps_are_those_of_libtorch(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var start = randn(6, 5);
        var theirs = new Parameter(start.clone());
        using var reference = name == "adamw" ? (optim.Optimizer)optim.AdamW([theirs], 0.05, 0.9, 0.99, weight_decay: 0.1) : optim.SGD([theirs], 0.05, name == "momentum" ? 0.9 : 0);
        var ours = new Weight("w", start.clone()) { Learns = true };
        using var optimizer = OptimizerTable.Create(Job with { Optimizer = name, WeightDecay = name == "adamw" ? 0.1 : 0 }, [ours]);
        var (input, target) = (randn(20, 5), randn(20, 6));

        for (var step = 0; step < 12; step++)
        {
            reference.zero_grad();
            nn.functional.mse_loss(nn.functional.linear(input, theirs), target).backward();
            reference.step();
            nn.functional.mse_loss(nn.functional.linear(input, ours.Value), target).backward();
            optimizer.Step(0.05, 1);
            ours.ForgetGradient();
        }

        Assert.True((theirs - ours.Value).abs().max().item<float>() < 1e-6, "the weights differ from those of libtorch");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_optimizer_solves_least_squares(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var (truth, input) = (randn(64, 80), randn(200, 80));
        var target = nn.functional.linear(input, truth);
        var weight = new Weight("w", zeros(64, 80)) { Learns = true };
        using var optimizer = OptimizerTable.Create(Job with { Optimizer = name, WeightDecay = 0 }, [weight]);
        var first = 0f;
        var last = 0f;
        for (var step = 0; step < 120; step++)
        {
            using var inner = NewDisposeScope();
            var loss = nn.functional.mse_loss(nn.functional.linear(input, weight.Value), target);
            loss.backward();
            last = loss.item<float>();
            first = step == 0 ? last : first;
            optimizer.Step(name is "sgd" or "momentum" ? 2 : 0.03, 1);
            weight.ForgetGradient();
        }
        Assert.True(last < first / 20, $"{name}: the loss went from {first} to {last}");
    }

    [Fact]
    public void Moments_in_eight_bits_stay_close_to_those_in_32()
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        var start = randn(80, 70);
        var (exact, coded) = (new Weight("w", start.clone()) { Learns = true }, new Weight("w", start.clone()) { Learns = true });
        using var adam = OptimizerTable.Create(Job, [exact]);
        using var adam8 = OptimizerTable.Create(Job with { Optimizer = "adamw-8bit" }, [coded]);
        for (var step = 0; step < 20; step++)
        {
            var gradient = randn(80, 70) + 1;
            (exact.Value.grad, coded.Value.grad) = (gradient, gradient.clone());
            adam.Step(0.01, 1);
            adam8.Step(0.01, 1);
        }
        var (moved, apart) = ((exact.Value - start).abs().mean().item<float>(), (exact.Value - coded.Value).abs().mean().item<float>());
        Assert.True(apart < 0.03 * moved, $"weights moved by {moved} and are {apart} apart");
        var bytes = adam8.State.Sum(state => state.Value.numel() * state.Value.element_size());
        Assert.Equal(2 * (5632 + 22 * 4), bytes);
    }

    [Fact]
    public void FP32_copies_learn_what_16_bits_would_lose()
    {
        using var scope = NewDisposeScope();
        var (with, without) = (new Weight("w", ones(8, 8, dtype: ScalarType.BFloat16)) { Learns = true }, new Weight("w", ones(8, 8, dtype: ScalarType.BFloat16)) { Learns = true });
        using var master = OptimizerTable.Create(Job with { Optimizer = "sgd", WeightDecay = 0 }, [with]);
        using var plain = OptimizerTable.Create(Job with { Optimizer = "sgd", WeightDecay = 0, MasterWeights = false }, [without]);
        for (var step = 0; step < 100; step++)
        {
            (with.Value.grad, without.Value.grad) = (ones_like(with.Value), ones_like(without.Value));
            master.Step(1e-3, 1);
            plain.Step(1e-3, 1);
        }
        Assert.Equal(0.9f, with.Value[0, 0].to(ScalarType.Float32).item<float>(), 0.003f);
        Assert.Equal(1f, without.Value[0, 0].to(ScalarType.Float32).item<float>());
    }
}
