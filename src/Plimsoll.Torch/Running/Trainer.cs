using System.Diagnostics;
using System.Globalization;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Data;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Running;

/// <summary>The loop: batches in, gradients, steps, events out.</summary>
internal sealed class Trainer
{
    /// <summary>Losses that the reported mean looks back over.</summary>
    private const int LossWindow = 20;

    private readonly TrainingJob job;
    private readonly Decoder decoder;
    private readonly TrainingData data;
    private readonly Optimizer optimizer;
    private readonly List<Weight> learning;
    private readonly Shuffle shuffle;
    private readonly BackwardPass pass;
    private readonly ProcessMeter meter;
    private readonly Device device;
    private readonly Queue<double> losses = [];

    public Trainer(TrainingJob job, Decoder decoder, TrainingData data, Optimizer optimizer, ProcessMeter meter, Device device)
    {
        (this.job, this.decoder, this.data, this.optimizer, this.meter, this.device) = (job, decoder, data, optimizer, meter, device);
        learning = [.. decoder.Weights.Where(weight => weight.Learns)];
        shuffle = new(data.Training.Count, job.Seed);
        pass = new(decoder, job.Checkpointing, meter);
        RowsPerStep = checked(job.MicroBatch * job.Accumulation);
        Steps = job.Steps ?? Math.Max(1, (int)Math.Round(job.Epochs * data.Training.Count / RowsPerStep));
    }

    public int RowsPerStep { get; }

    public int Steps { get; }

    /// <summary>The mean loss of the last steps.</summary>
    public double Loss => losses.Count == 0 ? double.NaN : losses.Average();

    public double? ValidationLoss { get; private set; }

    /// <summary>Runs the steps that are left.</summary>
    /// <param name="saved">Called after the steps that are to be kept.</param>
    /// <exception cref="TrainingRefusedException">The loss is no number any more.</exception>
    /// <exception cref="OperationCanceledException">The run is to end.</exception>
    public void Run(Action<TrainingEvent> report, Action saved, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var first = optimizer.Steps;
        while (optimizer.Steps < Steps)
        {
            cancellation.ThrowIfCancellationRequested();
            var rate = LearningRate.At(job, optimizer.Steps, Steps);
            var (loss, norm) = Step(rate);
            losses.Enqueue(loss);
            if (losses.Count > LossWindow)
                losses.Dequeue();
            var done = optimizer.Steps;
            var speed = (double)(done - first) * RowsPerStep * job.SequenceLength / clock.Elapsed.TotalSeconds;
            report(new TrainingStepped(done, loss, rate, norm, speed, ProcessMeter.Resident, ProcessMeter.Allocated, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount));
            if (IsDue(job.ValidateEvery, done) || done == Steps)
                Validate(report);
            if (IsDue(job.SaveEvery, done) && done < Steps)
                saved();
        }
        meter.End();
    }

    private static bool IsDue(int every, int step) => every > 0 && step % every == 0;

    /// <summary>One step of the optimizer: all micro-batches, then the move.</summary>
    private (double Loss, double Norm) Step(double rate)
    {
        var rows = Enumerable.Range(0, RowsPerStep).Select(index => data.Training[shuffle.RowAt((long)optimizer.Steps * RowsPerStep + index)]).ToList();
        var learnt = rows.Sum(row => row.Learnt);
        var sum = 0.0;
        foreach (var batch in rows.Chunk(job.MicroBatch))
        {
            using var scope = NewDisposeScope();
            sum += pass.Run(Tokens(batch, row => row.Inputs), Tokens(batch, row => row.Targets), 1.0 / learnt);
        }
        var loss = sum / learnt;
        meter.Begin("optimizer step");
        var norm = Gradients.Norm(learning);
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
            throw Diverged(loss, norm);
        optimizer.Step(rate, Gradients.ClipFactor(norm, job.Clip));
        Gradients.Forget(learning);
        meter.End();
        return (loss, norm);
    }

    private TrainingRefusedException Diverged(double loss, double norm) => new(
        string.Create(CultureInfo.InvariantCulture, $"step {optimizer.Steps + 1}: the {(double.IsFinite(loss) ? "gradient" : "loss")} is no finite number any more (loss {loss:G4}, gradient norm {norm:G4})"),
        string.Create(CultureInfo.InvariantCulture, $"a lower --learning-rate than {job.LearningRate:G3}, more --warmup, or --clip 1 keeps it finite"));

    private void Validate(Action<TrainingEvent> report)
    {
        if (data.Validation.Count == 0)
            return;
        ValidationLoss = Evaluate(data.Validation);
        report(new TrainingValidated(optimizer.Steps, ValidationLoss.Value));
    }

    /// <summary>The mean loss over rows that are not learnt from.</summary>
    private double Evaluate(RowSet rows)
    {
        using var none = no_grad();
        var sum = 0.0;
        foreach (var batch in Enumerable.Range(0, rows.Count).Select(index => rows[index]).Chunk(job.MicroBatch))
        {
            using var scope = NewDisposeScope();
            var hidden = decoder.Embed(Tokens(batch, row => row.Inputs));
            for (var index = 0; index < decoder.Layers.Length; index++)
            {
                using var before = hidden;
                hidden = decoder.Layer(index, before);
            }
            sum += decoder.Loss(hidden, Tokens(batch, row => row.Targets)).item<float>();
        }
        return sum / rows.Learnt;
    }

    private Tensor Tokens(Row[] rows, Func<Row, long[]> part) => tensor(rows.SelectMany(part).ToArray(), [rows.Length, job.SequenceLength], device: device);
}
