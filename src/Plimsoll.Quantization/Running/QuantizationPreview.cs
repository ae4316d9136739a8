using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>What a run is going to take: memory and disk from the plan, time from a sample of its work.</summary>
/// <param name="FreeDiskBytes">What the disk of the target has.</param>
/// <param name="Expected">Time to encode, when the source is read and the output written as fast; null where layers are calibrated one after the other, whose pace only shows in the run.</param>
public sealed record QuantizationPreview(RunPlan Plan, long Weights, long FreeDiskBytes, TimeSpan? Expected)
{
    /// <summary>A sample this long is beyond the first calls, in which code is compiled, and then compiled again.</summary>
    private static readonly TimeSpan SampleTime = TimeSpan.FromMilliseconds(500);

    private const int MostPieces = 256;

    /// <summary>Plans the run and encodes pieces of the largest tensor of each type for a while; they are kept nowhere.</summary>
    /// <exception cref="QuantizationRefusedException">The target is taken.</exception>
    /// <exception cref="NonFiniteWeightException">A weight of the sample is NaN or infinite.</exception>
    /// <exception cref="IOException">The source cannot be read.</exception>
    public static QuantizationPreview Create(OutputPlan plan, QuantizationRequest request)
    {
        OutputTarget.Check(plan, request.Target, request.Replace, request.SourceFiles);
        var runPlan = RunPlan.Create(plan, request);
        var jobs = plan.Files.SelectMany(file => file.Jobs).ToList();
        using var arena = new OutputArena(runPlan.OutputBytes);
        using var pieces = new PieceBuffers(1, RunPlan.LargestPiece(jobs));
        if (jobs.Exists(job => job.Effort > 1))
            return new(runPlan, jobs.Sum(WeightsOf), request.Disk.FreeBytes(ExistingParent(request.Target)), null);
        var seconds = 0.0;
        foreach (var type in jobs.GroupBy(job => (job.TypeName, job.NeedsObservation)))
        {
            var largest = type.MaxBy(WeightsOf)!;
            seconds += type.Sum(job => (double)WeightsOf(job)) * SecondsPerWeight(largest, arena.Rent(largest, atEnd: false, request.Threads), pieces, request);
        }
        return new(runPlan, jobs.Sum(WeightsOf), request.Disk.FreeBytes(ExistingParent(request.Target)), TimeSpan.FromSeconds(seconds / request.Threads));
    }

    /// <summary>The pace of the fastest piece: what is slower was compiled or disturbed.</summary>
    private static double SecondsPerWeight(WeightJob job, OutputBuffers outputs, PieceBuffers buffers, QuantizationRequest request)
    {
        var pieces = new RowPieces(job);
        var fastest = double.PositiveInfinity;
        var start = request.Time.GetTimestamp();
        for (var index = 0; pieces.Count > 0 && index < MostPieces && request.Time.GetElapsedTime(start) < SampleTime; index++)
        {
            var (firstRow, floats) = pieces[index % pieces.Count];
            var before = request.Time.GetTimestamp();
            JobEncoder.EncodePiece(job, outputs, firstRow, buffers.Values(0, floats), buffers.Decoded(0, floats), request.AllowNonFinite);
            fastest = Math.Min(fastest, request.Time.GetElapsedTime(before).TotalSeconds / floats);
        }
        return double.IsFinite(fastest) ? fastest : 0;
    }

    private static long WeightsOf(WeightJob job) => checked(job.Rows * job.RowLength);

    /// <summary>The nearest folder above the target that is there: a run makes the others.</summary>
    private static string ExistingParent(string target)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(target));
        while (folder is not null && !Directory.Exists(folder))
            folder = Path.GetDirectoryName(folder);
        return folder ?? "/";
    }
}
