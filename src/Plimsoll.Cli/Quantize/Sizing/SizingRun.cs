using System.CommandLine;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Cli.Calibrate;
using Plimsoll.Numerics.Linear;
using Plimsoll.Quantization.Allocation;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.Running;
using Plimsoll.Runtime;

namespace Plimsoll.Cli.Quantize.Sizing;

/// <summary>Chooses the types of a file from measurements, and measures afterwards what came of it.</summary>
internal sealed class SizingRun : IDisposable
{
    /// <summary>Multiplications that the influences of all tensors may take: some minutes for a model of a billion weights.</summary>
    private const double MostProducts = 6e13;

    private const int MostTokens = 8192;

    private readonly ParseResult parsed;
    private readonly CliEnvironment environment;
    private readonly int threads;
    private readonly string folder = Directory.CreateTempSubdirectory("plimsoll-size-").FullName;

    private SizeGoal goal = null!;
    private GgufAllocator allocator = null!;
    private GgufAllocation allocation = null!;
    private KeptPredictions kept = null!;
    private long headerBytes;
    private long budget;

    public SizingRun(ParseResult parsed, CliEnvironment environment, int threads) => (this.parsed, this.environment, this.threads) = (parsed, environment, threads);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Gives the target the types that lose least within its size.</summary>
    /// <param name="run">The model, and the text without what is held out.</param>
    /// <param name="heldOut">What the file is measured on when it is written.</param>
    /// <exception cref="CliException">The size is below the least.</exception>
    public QuantizeTarget Choose(QuantizeTarget target, QuantizeSource source, CalibrationRun run, CalibrationText heldOut)
    {
        goal = target.Goal!;
        allocator = source.Allocator(target);
        headerBytes = source.Plan(target).Files.Sum(file => (long)file.Header.Length);
        budget = goal.TensorBytes(allocator.Weights, headerBytes);
        if (budget < allocator.LeastBytes)
            throw CliException.WrongUsage($"{goal} is below the smallest file, which has {goal.Show(allocator.LeastBytes, allocator.Weights, headerBytes)}", "ask for more, or take a smaller model");
        MeasureErrors();
        MeasureInfluence(run);
        kept = KeptPredictions.Record(run.Model, heldOut, Path.Combine(folder, "held-out.logits"), environment.Interrupted);
        allocation = allocator.Spend(budget);
        return target.With(allocation);
    }

    /// <summary>Compares the file, and the standard mixture that would have been taken else, with the model as it was.</summary>
    /// <param name="target">With everything but the types.</param>
    public SizingResult Prove(string output, QuantizeTarget target, QuantizeSource source, QuantizationRequest request)
    {
        var divergence = Measure(output);
        var standard = GgufFileType.All.Select(type => (Type: type, Allocation: allocator.Standard(type)))
            .Where(each => each.Allocation is { } own && own.Bytes <= budget)
            .MinBy(each => each.Allocation!.Divergence);
        return new(goal, allocation, headerBytes, allocator.LeastBytes, allocator.Weights, kept.Count, divergence, standard.Allocation is null ? null : Write(standard.Type, standard.Allocation, target, source, request));
    }

    private StandardMixture Write(GgufFileType type, GgufAllocation standard, QuantizeTarget target, QuantizeSource source, QuantizationRequest request)
    {
        var path = Path.Combine(folder, "standard.gguf");
        QuantizationRunner.Run(source.Plan(target.With(type, Path.GetFileName(path))), request with { Target = path, Resume = false }, environment.Interrupted);
        return new(type.Name, standard, Measure(path));
    }

    private Evaluation.Divergence Measure(string path)
    {
        using var model = TransformerModel.Load(path, threads == 1 ? ComputePool.Single : new ComputePool(threads));
        return kept.Compare(model, environment.Interrupted);
    }

    private void MeasureErrors()
    {
        using var progress = Progress.Start(parsed, environment, "try types", allocator.Count, ProgressUnit.Of("tensors"));
        allocator.MeasureErrors(8.0 * budget / allocator.Weights, threads, done => progress.Report(done), environment.Interrupted);
    }

    private void MeasureInfluence(CalibrationRun run)
    {
        var text = run.Text.Take((int)Math.Clamp(MostProducts / allocator.Weights / allocator.Count, 1, MostTokens) / run.Text.Context);
        var own = KeptPredictions.Record(run.Model, text, Path.Combine(folder, "own.logits"), environment.Interrupted);
        using var progress = Progress.Start(parsed, environment, "weigh tensors", allocator.Count, ProgressUnit.Of("tensors"));
        allocator.MeasureInfluence(run.Model, threads, () => own.Compare(run.Model, environment.Interrupted).Mean.Value, (done, name) => progress.Report(done, name));
    }
}
