using Plimsoll.Models;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Runtime.Weights;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Optimizers;
using Plimsoll.Torch.Running;
using Plimsoll.Torch.Saving;
using Plimsoll.Torch.Tests.Running;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Tests.Saving;

/// <summary>Training that is aware of the format: what it computes with, what it moves, and what it writes.</summary>
public class QuantizedModelTests
{
    private const double Rate = 1e-2;

    [Theory]
    [InlineData("q4_0", "out.gguf")]
    [InlineData("q2_k", "out.gguf")]
    [InlineData("q4_k_m", "out.gguf")]
    [InlineData("gptq:2bit-g64", "out")]
    [InlineData("ct:w4a16-g128", "out")]
    [InlineData("int8", "out")]
    [InlineData("nf4", "out")]
    public void What_is_written_computes_what_was_trained(string format, string output)
    {
        using var folder = new TemporaryFolder();
        using var run = new Run(TrainingRunTests.Job(folder) with { Output = folder.File(output), Quantization = new(format, Distill: false) });
        run.Step();
        run.Model.Write(run.Decoder, run.Optimizer, CancellationToken.None);

        using var written = Load(folder.File(output));
        using var scope = NewDisposeScope();
        Assert.Equal(0, (Logits(run.Decoder) - Logits(written)).abs().max().item<float>(), 1e-3);
        Assert.NotEqual(0, (Logits(run.Decoder) - Logits(run.Exact())).abs().max().item<float>(), 1e-3);
    }

    [Fact]
    public void The_gradient_of_a_rounded_weight_moves_the_exact_one()
    {
        using var folder = new TemporaryFolder();
        using var run = new Run(TrainingRunTests.Job(folder) with { Output = folder.File("out.gguf"), Quantization = new("q4_0", Distill: false) });
        using var scope = NewDisposeScope();
        var weight = run.Decoder.Layers[1].Up.Weights.Single();
        var exact = run.Optimizer.ExactOf(weight).clone();
        // A model of its own whose weights are plainly what the rounded ones are.
        using var plain = Load(run.Job.Model);
        foreach (var (own, rounded) in plain.Weights.Zip(run.Decoder.Weights))
        {
            using (no_grad())
                own.Value.copy_(rounded.Value);
            own.Learns = true;
        }
        var (tokens, targets) = Batch();
        new BackwardPass(plain, Checkpointing.None, null).Run(tokens, targets, 1);
        var gradient = plain.Layers[1].Up.Weights.Single().Value.grad!;
        run.Step();

        Assert.False(weight.Value.equal(exact).all().item<bool>());
        Assert.Equal(0, (exact - gradient * Rate - run.Optimizer.ExactOf(weight)).abs().max().item<float>(), 1e-6);
    }

    [Fact]
    public void The_original_is_its_own_best_teacher_and_the_rounded_model_comes_nearer_to_it()
    {
        using var folder = new TemporaryFolder();
        var text = folder.Write("data.txt", "The Northern Light sailed for Lisbon with nine crates of tea, and nine more crates of tea were waiting there for her.");
        var job = TrainingRunTests.Job(folder) with { Data = text, MicroBatch = 1, Output = folder.File("out.gguf"), Quantization = new("q2_k", Distill: true), Steps = 20 };
        using var decoder = Load(job.Model);
        using (NewDisposeScope())
        {
            var (tokens, targets) = Batch();
            using var distillation = new Distillation(decoder, Load(job.Model));
            Assert.Equal(0, distillation.Loss(tokens, decoder.Hidden(tokens), targets).item<float>(), 1e-3);
        }
        var losses = TrainingRunTests.Run(job).OfType<TrainingStepped>().Select(step => step.Loss).ToList();
        Assert.True(losses[^1] < losses[0] * 0.7, string.Join(' ', losses));
    }

    [Fact]
    public void The_divergence_is_that_of_the_definition_over_the_targets_that_count()
    {
        using var scope = NewDisposeScope();
        using var decoder = TinyModels.Create("llama", seed: 1);
        using var distillation = new Distillation(decoder, TinyModels.Create("llama", seed: 2));
        using var original = TinyModels.Create("llama", seed: 2);
        var (tokens, targets) = TinyModels.Batch(2, 5);
        targets[1, 3] = Decoder.Ignored;
        var (p, q) = (Probabilities(original), Probabilities(decoder));
        var expected = 0.0;
        for (var row = 0; row < 10; row++)
        {
            for (var token = 0; token < 64 && row != 8; token++)
                expected += p[row, token] * Math.Log(p[row, token] / q[row, token]);
        }
        Assert.Equal(expected, distillation.Loss(tokens, decoder.Hidden(tokens), targets).item<float>(), expected * 1e-4);

        double[,] Probabilities(Decoder model)
        {
            using var none = no_grad();
            var logits = model.Logits(model.Hidden(tokens)).view(10, 64).data<float>().ToArray();
            var result = new double[10, 64];
            for (var row = 0; row < 10; row++)
            {
                var sum = Enumerable.Range(0, 64).Sum(token => Math.Exp(logits[row * 64 + token]));
                for (var token = 0; token < 64; token++)
                    result[row, token] = Math.Exp(logits[row * 64 + token]) / sum;
            }
            return result;
        }
    }

    [Fact]
    public void A_run_writes_the_quantized_model_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Output = folder.File("out.gguf"), Quantization = new("q2_k", Distill: false), Steps = 12, LearningRate = 2e-3 };
        var losses = TrainingRunTests.Run(job).OfType<TrainingStepped>().Select(step => step.Loss).ToList();

        Assert.True(losses[^3..].Average() < losses[..3].Average() * 0.9, string.Join(' ', losses));
        Assert.Equal(["out.gguf"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_run_goes_on_from_its_exact_weights()
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Quantization = new("q4_0", Distill: false), Steps = 4, SaveEvery = 2 };
        using var interruption = new CancellationTokenSource();
        TrainingRunTests.Run(job with { Output = folder.File("whole.gguf") });
        Assert.Throws<OperationCanceledException>(() => TrainingRun.Execute(job with { Output = folder.File("parts.gguf") }, occurrence =>
        {
            if (occurrence is TrainingSaved)
                interruption.Cancel();
        }, interruption.Token));
        TrainingRunTests.Run(job with { Output = folder.File("parts.gguf"), Resume = true });

        Assert.Equal(File.ReadAllBytes(folder.File("whole.gguf")), File.ReadAllBytes(folder.File("parts.gguf")));
    }

    [Theory]
    [InlineData("nvfp4", "scales that its rows share")]
    [InlineData("bf16", "quantizes nothing")]
    [InlineData("q9_9", "unknown format")]
    public void A_format_that_cannot_be_trained_for_is_refused(string format, string expected)
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Quantization = new(format, Distill: false) };
        var refused = Assert.Throws<TrainingRefusedException>(() => new QuantizedModel(job, ModelLocator.FromPath(job.Model)));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    private static Decoder Load(string path)
    {
        using var checkpoint = DecoderCheckpoint.Open(ModelLocator.FromPath(path));
        return new DecoderLoader(checkpoint, ScalarType.Float32, CPU).Load();
    }

    private static (Tensor Tokens, Tensor Targets) Batch() => TinyModels.Batch(2, 24);

    private static Tensor Logits(Decoder decoder)
    {
        using var none = no_grad();
        return decoder.Logits(decoder.Hidden(Batch().Tokens));
    }

    /// <summary>A model under the rounding of a format, and its optimizer.</summary>
    private sealed class Run : IDisposable
    {
        public Run(TrainingJob job)
        {
            Job = job;
            Decoder = Load(job.Model);
            foreach (var weight in Decoder.Weights)
                weight.Learns = true;
            Model = new(job, ModelLocator.FromPath(job.Model));
            Model.Round(Decoder);
            Optimizer = new Sgd(Decoder.Weights, masterWeights: true, decay: 0, momentum: 0);
        }

        public TrainingJob Job { get; }

        public Decoder Decoder { get; }

        public QuantizedModel Model { get; }

        public Optimizer Optimizer { get; }

        public void Step()
        {
            using var scope = NewDisposeScope();
            var (tokens, targets) = Batch();
            new BackwardPass(Decoder, Checkpointing.None, null).Run(tokens, targets, 1);
            Optimizer.Step(Rate, 1);
            Gradients.Forget(Decoder.Weights);
        }

        /// <summary>A model with the numbers that are rounded.</summary>
        public Decoder Exact()
        {
            var exact = Load(Job.Model);
            using var none = no_grad();
            foreach (var (own, weight) in exact.Weights.Zip(Decoder.Weights))
                own.Value.copy_(Optimizer.ExactOf(weight));
            return exact;
        }

        public void Dispose()
        {
            Decoder.Dispose();
            Optimizer.Dispose();
        }
    }
}
