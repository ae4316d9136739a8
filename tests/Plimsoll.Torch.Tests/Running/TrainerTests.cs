using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Models;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Runtime.Weights;
using Plimsoll.Torch.Data;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Running;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Tests.Running;

public class TrainerTests
{
    [Fact]
    public void The_loss_curve_on_the_demo_data_is_that_of_plain_libtorch()
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Steps = 8, LearningRate = 2e-3, Warmup = 2, WeightDecay = 0.1, Clip = 0.5 };
        using var scope = NewDisposeScope();
        using var decoder = Demo();
        var reference = new ReferenceLlama(decoder.Weights.ToDictionary(weight => weight.Name, weight => new Parameter(weight.Value.clone())));
        var data = TrainingData.Read(job, Tokenizer.Load(job.Model), 512).Training;
        var shuffle = new Shuffle(data.Count, job.Seed);
        var batches = Enumerable.Range(0, 8).Select(step => Enumerable.Range(0, 2).Select(row => data[shuffle.RowAt(2 * step + row)]).ToList())
            .Select(rows => (Rows(rows, row => row.Inputs), Rows(rows, row => row.Targets)));

        var expected = reference.Train(batches, step => LearningRate.At(job, step, 8), 0.1, 0.5);
        var actual = TrainingRunTests.Run(job).OfType<TrainingStepped>().Select(step => step.Loss).ToList();

        Assert.Equal(8, actual.Count);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-4));

        Tensor Rows(List<Row> rows, Func<Row, long[]> part) => tensor(rows.SelectMany(part).ToArray(), [rows.Count, job.SequenceLength]);
    }

    [Fact]
    public void Accumulated_micro_batches_lead_to_the_same_losses_as_whole_ones()
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Steps = 5 };
        var whole = Losses(job with { MicroBatch = 4 });
        var apart = Losses(job with { MicroBatch = 1, Accumulation = 4 });
        Assert.All(whole.Zip(apart), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void FP16_that_overflows_leaves_steps_out_and_then_names_bf16()
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Steps = 40, Compute = ComputeType.Fp16, LearningRate = 1e6, Clip = 0, Warmup = 0 };
        var events = new List<TrainingEvent>();
        var failure = Assert.Throws<TrainingRefusedException>(() => TrainingRun.Execute(job, events.Add, CancellationToken.None));
        Assert.Contains("bf16", failure.Hint, StringComparison.Ordinal);
        Assert.Contains(events.OfType<TrainingStepped>(), step => step.GradientNorm is null);
    }

    [Theory]
    [InlineData(ComputeType.Bf16)]
    [InlineData(ComputeType.Fp16)]
    public void Sixteen_bits_learn_nearly_as_32_do(ComputeType compute)
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Steps = 6, LearningRate = 5e-4 };
        var (wide, narrow) = (Losses(job), Losses(job with { Compute = compute }));
        Assert.All(wide.Zip(narrow), pair => Assert.Equal(pair.First, pair.Second, 0.05));
    }

    private static List<double> Losses(TrainingJob job) => [.. TrainingRunTests.Run(job).OfType<TrainingStepped>().Select(step => step.Loss)];

    private static Decoder Demo()
    {
        using var checkpoint = DecoderCheckpoint.Open(ModelLocator.FromPath(Path.Combine(Repository.Root, "demo")));
        return new DecoderLoader(checkpoint, ScalarType.Float32, CPU).Load();
    }
}
