using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>What a run is going to take: memory and disk from the plan, time from a sample of its work.</summary>
/// <param name="FreeDiskBytes">What the disk of the target has.</param>
/// <param name="Expected">Time to encode, when the source is read and the output written as fast.</param>
public sealed record QuantizationPreview(RunPlan Plan, long Weights, long FreeDiskBytes, TimeSpan Expected)
{
    /// <summary>A sample this long is beyond the first calls, in which code is compiled.</summary>
    private const int SamplePieces = 3;

    /// <summary>Plans the run and encodes a few pieces of the largest tensor of each type, which is kept nowhere.</summary>
    /// <exception cref="QuantizationRefusedException">The target is taken.</exception>
    /// <exception cref="NonFiniteWeightException">A weight of the sample is NaN or infinite.</exception>
    /// <exception cref="IOException">The source cannot be read.</exception>
    public static QuantizationPreview Create(OutputPlan plan, QuantizationRequest request)
    {
        OutputTarget.Check(plan, request.Target, request.Replace, request.SourceFiles);
        var runPlan = RunPlan.Create(plan, request.Threads, ProcessMemory.Resident());
        var jobs = plan.Files.SelectMany(file => file.Jobs).ToList();
        using var arena = new OutputArena(runPlan.OutputBytes);
        using var pieces = new PieceBuffers(1, RunPlan.LargestPiece(jobs));
        var seconds = 0.0;
        foreach (var type in jobs.GroupBy(job => (job.TypeName, job.NeedsObservation)))
        {
            var largest = type.MaxBy(WeightsOf)!;
            seconds += type.Sum(job => (double)WeightsOf(job)) * SecondsPerWeight(largest, arena.Rent(largest, atEnd: false, request.Threads), pieces, request);
        }
        return new(runPlan, jobs.Sum(WeightsOf), request.Disk.FreeBytes(ExistingParent(request.Target)), TimeSpan.FromSeconds(seconds / request.Threads));
    }

    private static double SecondsPerWeight(WeightJob job, OutputBuffers outputs, PieceBuffers buffers, QuantizationRequest request)
    {
        var pieces = new RowPieces(job);
        var sample = Math.Min(pieces.Count, SamplePieces + 1);
        var (start, weights) = (request.Time.GetTimestamp(), 0L);
        var values = buffers.Values(0, pieces.Floats);
        for (var index = 0; index < sample; index++)
        {
            // The first piece is not timed where there are others.
            if (index == 1)
                (start, weights) = (request.Time.GetTimestamp(), 0);
            var (firstRow, floats) = pieces[index];
            JobEncoder.EncodePiece(job, outputs, firstRow, values[..floats], buffers.Decoded(0, floats), request.AllowNonFinite);
            weights += floats;
        }
        return weights == 0 ? 0 : request.Time.GetElapsedTime(start).TotalSeconds / weights;
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
