using System.Diagnostics;
using System.Globalization;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Data;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Optimizers;
using Plimsoll.Torch.Saving;
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
    private readonly Objective objective;
    private readonly Optimizer optimizer;
    private readonly List<Weight> learning;
    private readonly Shuffle shuffle;
    private readonly BackwardPass pass;
    private readonly ProcessMeter meter;
    private readonly Device device;
    private readonly LossScale scale;
    private readonly Queue<double> losses = [];

    public Trainer(TrainingJob job, Decoder decoder, TrainingData data, Objective objective, Optimizer optimizer, ProcessMeter meter, Device device)
    {
        (this.job, this.decoder, this.data, this.objective, this.optimizer, this.meter, this.device) = (job, decoder, data, objective, optimizer, meter, device);
        learning = [.. decoder.Weights.Where(weight => weight.Learns)];
        scale = new(job.Compute == ComputeType.Fp16);
        shuffle = new(data.Training.Count, job.Seed);
        pass = new(decoder, job.Checkpointing, meter, objective);
        RowsPerStep = checked(job.MicroBatch * job.Accumulation);
        Steps = job.Steps ?? Math.Max(1, (int)Math.Round(job.Epochs * data.Training.Count / RowsPerStep));
    }

    public int RowsPerStep { get; }

    public int Steps { get; }

    /// <summary>The mean loss of the last steps.</summary>
    public double Loss => losses.Count == 0 ? double.NaN : losses.Average();

    public double? ValidationLoss { get; private set; }

    public IReadOnlyList<Weight> Learning => learning;

    /// <summary>Where the run is; set to go on from there.</summary>
    public TrainingPosition Position
    {
        get => new(Done, optimizer.Steps, scale.Value, scale.Good, [.. losses]);
        set
        {
            Done = value.Step;
            optimizer.Steps = value.Updates;
            scale.Restore(value.Scale, value.GoodSteps);
            losses.Clear();
            foreach (var loss in value.Losses)
                losses.Enqueue(loss);
        }
    }

    /// <summary>Steps done.</summary>
    public int Done { get; private set; }

    /// <summary>Runs the steps that are left.</summary>
    /// <param name="saved">Called after the steps that are to be kept.</param>
    /// <exception cref="TrainingRefusedException">The loss is no number any more.</exception>
    /// <exception cref="OperationCanceledException">The run is to end.</exception>
    public void Run(Action<TrainingEvent> report, Action saved, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        var first = Done;
        while (Done < Steps)
        {
            cancellation.ThrowIfCancellationRequested();
            var rate = LearningRate.At(job, Done, Steps);
            var (loss, norm) = Step(rate);
            var done = ++Done;
            if (norm is not null)
                losses.Enqueue(loss);
            if (losses.Count > LossWindow)
                losses.Dequeue();
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
    /// <returns>The norm before clipping; null where FP16 overflowed and nothing moved.</returns>
    private (double Loss, double? Norm) Step(double rate)
    {
        var rows = Enumerable.Range(0, RowsPerStep).Select(index => data.Training[shuffle.RowAt((long)Done * RowsPerStep + index)]).ToList();
        var learnt = rows.Sum(row => row.Learnt);
        var sum = 0.0;
        foreach (var batch in rows.Chunk(job.MicroBatch))
        {
            using var scope = NewDisposeScope();
            sum += pass.Run(Tokens(batch, row => row.Inputs), Tokens(batch, row => row.Targets), scale.Value / learnt);
        }
        var loss = sum / learnt;
        meter.Begin("optimizer step");
        var norm = Gradients.Norm(learning) / scale.Value;
        var isGood = double.IsFinite(loss) && double.IsFinite(norm);
        if (!isGood && !(scale.IsUsed && scale.Reject()))
            throw Diverged(loss, norm);
        if (isGood)
        {
            optimizer.Step(rate, Gradients.ClipFactor(norm, job.Clip) / scale.Value);
            scale.Accept();
        }
        Gradients.Forget(learning);
        meter.End();
        return (loss, isGood ? norm : null);
    }

    private TrainingRefusedException Diverged(double loss, double norm) => new(
        string.Create(CultureInfo.InvariantCulture, $"step {Done + 1}: the {(double.IsFinite(loss) ? "gradient" : "loss")} is no finite number any more (loss {loss:G4}, gradient norm {norm:G4})"),
        job.Compute == ComputeType.Fp16 ? "fp16 holds nothing beyond 65,504; --precision bf16 has the range of fp32" :
        string.Create(CultureInfo.InvariantCulture, $"a lower --learning-rate than {job.LearningRate:G3}, more --warmup, or --clip 1 keeps it finite"));

    private void Validate(Action<TrainingEvent> report)
    {
        if (data.Validation.Count == 0)
            return;
        ValidationLoss = Evaluate(data.Validation);
        report(new TrainingValidated(Done, ValidationLoss.Value));
    }

    /// <summary>The mean loss over rows that are not learnt from.</summary>
    private double Evaluate(RowSet rows)
    {
        using var none = no_grad();
        var sum = 0.0;
        foreach (var batch in Enumerable.Range(0, rows.Count).Select(index => rows[index]).Chunk(job.MicroBatch))
        {
            using var scope = NewDisposeScope();
            var tokens = Tokens(batch, row => row.Inputs);
            sum += objective.Loss(tokens, decoder.Hidden(tokens), Tokens(batch, row => row.Targets)).item<float>();
        }
        return sum / rows.Learnt;
    }

    private Tensor Tokens(Row[] rows, Func<Row, long[]> part) => tensor(rows.SelectMany(part).ToArray(), [rows.Length, job.SequenceLength], device: device);
}
