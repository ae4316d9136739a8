using System.Collections.Immutable;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>Carries out an output plan: one tensor after the other from the stored source to the output, all threads on one tensor.</summary>
/// <remarks>
/// While a tensor is encoded the one before is written and the source of the next is read ahead. Bytes and sums depend neither on the number of threads nor
/// on interruptions. Memory: <see cref="RunPlan"/>.
/// </remarks>
public sealed class QuantizationRunner
{
    private readonly OutputPlan plan;
    private readonly QuantizationRequest request;
    private readonly CancellationToken cancellation;
    private readonly ImmutableArray<(int File, int Job)> places;
    private readonly Dictionary<(int File, int Job), FinishedJob> finished = [];
    private long effortDone;

    private QuantizationRunner(OutputPlan plan, QuantizationRequest request, CancellationToken cancellation)
    {
        (this.plan, this.request, this.cancellation) = (plan, request, cancellation);
        places = [.. plan.Files.SelectMany((file, fileIndex) => file.Jobs.Select((_, jobIndex) => (fileIndex, jobIndex)))];
    }

    /// <summary>Where a run for this target keeps what it has written until the output is whole.</summary>
    public static string UnfinishedPath(string target) => PartialOutput.PathFor(target);

    /// <summary>Writes the whole output, or nothing under its name. What an unsuccessful run had written stays beside the target for <see cref="QuantizationRequest.Resume"/>.</summary>
    /// <exception cref="QuantizationRefusedException">The target is taken, or the unfinished run beside it is of other work.</exception>
    /// <exception cref="NonFiniteWeightException">A weight is NaN or infinite.</exception>
    /// <exception cref="Checkpoints.CheckpointFormatException">The source is not what its header says.</exception>
    /// <exception cref="IOException">The disk is too small, full, or fails; or another run writes the same target.</exception>
    /// <exception cref="OperationCanceledException">The run was told to end.</exception>
    public static QuantizationReport Run(OutputPlan plan, QuantizationRequest request, CancellationToken cancellation) =>
        new QuantizationRunner(plan, request, cancellation).Run();

    private QuantizationReport Run()
    {
        OutputTarget.Check(plan, request.Target, request.Replace, request.SourceFiles);
        var runPlan = RunPlan.Create(plan, request);
        using var folder = PartialOutput.Open(request.Target, request.Disk);
        try
        {
            var fingerprint = RunFingerprint.Of(plan, request.Recipe, request.SourceFiles);
            Restore(folder, fingerprint);
            CheckDisk(runPlan);
            using var journal = RunJournal.Create(folder.JournalPath, fingerprint, finished.Values);
            return Run(folder, journal, runPlan);
        }
        catch
        {
            // What is not worth going on with is not left lying about.
            if (RunJournal.Read(folder.JournalPath) is not { Finished.Count: > 0 })
                folder.Delete();
            throw;
        }
    }

    private QuantizationReport Run(PartialOutput folder, RunJournal journal, RunPlan runPlan)
    {
        var resumed = finished.Count;
        effortDone = places.Where(finished.ContainsKey).Sum(place => Effort(JobAt(place)));
        request.Started(runPlan, places.Sum(place => Effort(JobAt(place))), effortDone);
        var start = request.Time.GetTimestamp();
        EncodeAll(folder, journal, runPlan);
        folder.Write(plan.SideFiles);
        cancellation.ThrowIfCancellationRequested();
        var files = folder.Publish(plan, request.Target);
        return new(files, [.. places.Select(place => Describe(JobAt(place), finished[place]))], plan.Files.Sum(file => file.Length), request.Time.GetElapsedTime(start), runPlan, ProcessMemory.Peak(), resumed);
    }

    private void EncodeAll(PartialOutput folder, RunJournal journal, RunPlan runPlan)
    {
        using var arena = new OutputArena(runPlan.OutputBytes);
        using var pieces = new PieceBuffers(request.Threads, RunPlan.LargestPiece(places.Select(JobAt)));
        using var ahead = new SourceReadAhead();
        using var writer = new OutputWriter(plan, folder, request.Disk, job =>
        {
            journal.Add(job);
            finished[(job.File, job.Job)] = job;
        });
        // The writer notes what is finished while this loop goes on.
        var left = places.Where(place => !finished.ContainsKey(place)).ToHashSet();
        var work = places.Where(place => left.Contains(place) || JobAt(place).IsFollowed).ToList();
        for (var index = 0; index < work.Count; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (place, job) = (work[index], JobAt(work[index]));
            if (!left.Contains(place))
            {
                writer.Wait();
                job.Follow(Read(folder, place, arena.Rent(job, atEnd: false, request.Threads)));
                continue;
            }
            if (index + 1 < work.Count)
                ahead.Fetch(JobAt(work[index + 1]));
            job.Prepare();
            if (OutputArena.BytesFor(job) + writer.PendingBytes > arena.Capacity)
                writer.Wait();
            var outputs = arena.Rent(job, atEnd: index % 2 == 1, request.Threads);
            var encoder = new JobEncoder(pieces, request.Threads, request.AllowNonFinite, count => request.Progress(Interlocked.Add(ref effortDone, (long)count * job.Effort), job.Name), cancellation);
            var encoded = encoder.Encode(job, outputs);
            if (job.IsFollowed)
                job.Follow(outputs);
            writer.Begin(place, outputs, encoded);
        }
        writer.Finish();
    }

    /// <summary>What an earlier run has written of a job.</summary>
    private OutputBuffers Read(PartialOutput folder, (int File, int Job) place, OutputBuffers outputs)
    {
        using var handle = folder.OpenForReading(plan.Files[place.File]);
        OutputWriter.Read(handle, plan.Files[place.File], JobAt(place), outputs);
        return outputs;
    }

    /// <summary>Takes over what an unfinished run of the same work had written, as far as its bytes still have their checksums.</summary>
    private void Restore(PartialOutput folder, RunFingerprint fingerprint)
    {
        if (!request.Resume || RunJournal.Read(folder.JournalPath) is not var (left, jobs))
        {
            folder.Clear();
            return;
        }
        if (left != fingerprint)
        {
            var other = left.Recipe != fingerprint.Recipe ? "another recipe" : "a source that has changed since";
            throw new QuantizationRefusedException($"{PartialOutput.PathFor(request.Target)} is the unfinished run of {other}; leave out --resume to start over");
        }
        foreach (var file in jobs.GroupBy(job => job.File).Where(file => file.Key < plan.Files.Length && folder.Has(plan.Files[file.Key])))
        {
            using var handle = folder.OpenForReading(plan.Files[file.Key]);
            foreach (var job in file.Where(job => job.Job < plan.Files[job.File].Jobs.Length))
            {
                cancellation.ThrowIfCancellationRequested();
                if (OutputWriter.Checksum(handle, plan.Files[job.File], JobAt((job.File, job.Job))) == job.Checksum)
                    finished[(job.File, job.Job)] = job;
            }
        }
    }

    private void CheckDisk(RunPlan runPlan)
    {
        var parent = Path.GetDirectoryName(PartialOutput.PathFor(request.Target))!;
        var there = finished.Keys.Sum(place => JobAt(place).Outputs.Sum(output => output.Bytes));
        var (needed, free) = (runPlan.DiskBytes - there, request.Disk.FreeBytes(parent));
        if (needed > free)
            throw new IOException($"{parent} has {Text(free)} free and the output takes {Text(needed)}; free {Text(needed - free)}, or name an output on another disk");
    }

    private static string Text(long bytes) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{new ByteSize(bytes).ToDecimalString()} ({bytes:N0} B)");

    private WeightJob JobAt((int File, int Job) place) => plan.Files[place.File].Jobs[place.Job];

    private static long Weights(WeightJob job) => checked(job.Rows * job.RowLength);

    private static long Effort(WeightJob job) => checked(Weights(job) * job.Effort);

    private static QuantizedTensor Describe(WeightJob job, FinishedJob done) =>
        new(job.Name, job.TypeName, Weights(job), job.Outputs.Sum(output => output.Bytes), done.Error.Error, done.Error.Sum, done.NonFinite);
}
