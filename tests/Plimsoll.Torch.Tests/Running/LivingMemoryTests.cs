using Plimsoll.Planning.Training;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Adapters;
using Plimsoll.Torch.Data;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Optimizers;
using Plimsoll.Torch.Running;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Tests.Running;

/// <summary>What the process has allocated counts everybody: these tests run alone.</summary>
[CollectionDefinition(nameof(LivingMemoryTests), DisableParallelization = true)]
[Collection(nameof(LivingMemoryTests))]
public class LivingMemoryTests
{
    /// <summary>The packed product is a function of our own: what it makes must be freed as well.</summary>
    [Theory]
    [InlineData(TrainingMethod.Full, Checkpointing.None, 500)]
    [InlineData(TrainingMethod.Qlora, Checkpointing.Full, 200)]
    public void Many_steps_hold_as_many_tensors_and_bytes_as_few(TrainingMethod method, Checkpointing checkpointing, int count)
    {
        using var folder = new TemporaryFolder();
        var job = TrainingRunTests.Job(folder) with { Steps = count, SequenceLength = 4, MicroBatch = 1, Checkpointing = checkpointing };
        using var scope = NewDisposeScope();
        using var decoder = Create(method);
        using var optimizer = OptimizerTable.Create(job, decoder.Weights.Where(weight => weight.Learns));
        var rows = RowSet.Pack([new(Enumerable.Range(0, 60).ToArray(), 1)], 4);
        var (tensors, bytes) = (new List<long>(), new List<long>());

        new Trainer(job, decoder, new(rows, RowSet.Pack([], 4)), new(decoder), optimizer, new(), CPU).Run(occurrence => Count((TrainingStepped)occurrence), () => { }, CancellationToken.None);

        Assert.Equal(tensors[1], tensors[^1]);
        Assert.True(bytes[1] - bytes[0] < 256 << 10, $"{bytes[1] - bytes[0]:N0} bytes were allocated and not freed in {count / 2} steps");

        void Count(TrainingStepped step)
        {
            tensors.Add(step.LiveTensors);
            if (step.Step != count / 2 && step.Step != count)
                return;
            // Handles that only the garbage collector frees are no leak.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            bytes.Add(ProcessMeter.Allocated);
        }
    }

    private static Decoder Create(TrainingMethod method)
    {
        if (method == TrainingMethod.Full)
            return TinyModels.Learning("llama");
        return TinyModels.Create("llama").Replace(layer =>
        {
            using var matrix = layer.Matrix();
            var packed = new Nf4Linear(layer.Name, new(matrix, CPU), null, ScalarType.Float32);
            return LoraLinear.Over(packed, (int)matrix.shape[0], (int)matrix.shape[1], 2, 4, CPU);
        });
    }
}
