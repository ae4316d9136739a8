using System.Collections.Immutable;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Snapshots.Checks;

/// <summary>What a snapshot can show, from the failure to the notes.</summary>
internal static class SnapshotChecks
{
    /// <summary>Free memory that is worth a word: a tenth of what is reserved, and more than noise.</summary>
    private const long WorthBytes = 256 * ByteSize.MiB;

    public static ImmutableArray<Rule> Rules { get; } =
    [
        new("snapshot-out-of-memory", "the trace has an out-of-memory event", "an event 'oom'; who held memory is read from the events before it", "torch/csrc/cuda/memory_snapshot.cpp"),
        new("step-growth", "a line of code leaves memory behind in every step", "marks of Optimizer.step of four steps, and stacks", "torch profiler annotations"),
        new("taken-late", "the snapshot was written after the tensors of the failed call were gone", "less than half of what was live at the event is live at the end", "traces of real jobs"),
        new("unused-reserve", "much is reserved and free", "free blocks above a tenth of what is reserved", "CUDACachingAllocator"),
        new("pending-free", "memory waits for another stream", "blocks active_pending_free above 256 MiB", "record_stream"),
        new("no-stacks", "nobody recorded who allocated", "no frames", "torch.cuda.memory._record_memory_history"),
        new("sums-differ", "the file is not torch's, or was changed", "segments that are not the sum of their blocks", "torch's own files"),
    ];

    public static IEnumerable<Finding> Run(MemorySnapshot snapshot, ImmutableArray<DeviceMemory> devices)
    {
        foreach (var device in devices)
        {
            if (device.Failed is { } failed)
                yield return Exhausted(device, failed);
            foreach (var leak in device.Leaks.Take(3))
                yield return Leak(device, leak);
            if (device.Failed is not null && device.AtEnd.Live < device.Live / 2)
                yield return TakenLate(device);
            if (device.Failed is null && device.AtEnd.Releasable + device.AtEnd.Trapped is var free && free > WorthBytes && free > device.AtEnd.Reserved / 10)
                yield return Unused(device);
            if (device.AtEnd.PendingFree > WorthBytes)
                yield return Pending(device);
        }
        if (devices.Length > 0 && devices.All(device => device.Holders.All(holder => holder.Site == CodeSite.Unknown)))
            yield return Note("no-stacks", "Nobody recorded who allocated: call torch.cuda.memory._record_memory_history() before the model is made.", []);
        if (WrongSums(snapshot) is { Length: > 0 } wrong)
            yield return Note("sums-differ", $"{wrong.Length:N0} of {snapshot.Segments.Length:N0} segments are not the sum of their blocks: torch did not write this file, or it was changed.", [.. wrong.Take(3)]);
    }

    private static Finding Exhausted(DeviceMemory device, FailedAllocation failed)
    {
        var shortage = Math.Max(0, failed.Requested - failed.DeviceFree);
        var culprit = device.Holders.FirstOrDefault();
        var held = culprit is null ? "" : $" {culprit.Site} held most: {new ByteSize(culprit.Bytes)} in {culprit.Count:N0} {(culprit.Count == 1 ? "tensor" : "tensors")} ({culprit.Category.Describe()}).";
        return new(
            "snapshot-out-of-memory", Severity.Cause,
            $"Device {device.Device} ran out of memory: {failed.Site} asked for {new ByteSize(failed.Requested)} with {new ByteSize(failed.DeviceFree)} free; {new ByteSize(device.Live)} were in tensors.{held}",
            [$"event {device.EventIndex + 1:N0} of {device.History.EventCount:N0}: oom, size {failed.Requested:N0}, device_free {failed.DeviceFree:N0}", $"reserved {device.Reserved:N0}, live {device.Live:N0}"],
            shortage, Certainty.High, [.. Fixes(device, failed, shortage)]);
    }

    private static IEnumerable<Fix> Fixes(DeviceMemory device, FailedAllocation failed, long shortage)
    {
        var bytes = Holders.ByCategory(device.Holders).ToDictionary(group => group.Category, group => group.Bytes);
        if (device.Unused >= failed.Requested)
            yield return new("PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True: the allocator held enough, in pieces", device.Unused, "none on Linux; not for Windows or CUDA IPC", true);
        if (device.Holders.FirstOrDefault() is { } first && first.Site != CodeSite.Unknown)
            yield return new($"look at {first.Site}: chunk it, free what it makes earlier (del), or recompute it", first.Bytes, "work on the code", first.Bytes >= shortage ? null : false);
        if (bytes.TryGetValue(MemoryCategory.Activations, out var activations) && activations > device.Live / 3)
        {
            yield return new("gradient checkpointing, where this is training", null, "20 to 33 % more time per step");
            yield return new("a smaller batch or a shorter sequence: activations grow with both", null, "less throughput");
        }
        if (bytes.TryGetValue(MemoryCategory.OptimizerStates, out var states) && states > device.Live / 5)
            yield return new("an 8-bit optimizer (optim='adamw_8bit')", states * 3 / 4, "none that is usually noticed", states * 3 / 4 >= shortage);
    }

    private static Finding Leak(DeviceMemory device, LeakCandidate leak) => new(
        "step-growth", Severity.Cause,
        $"Every one of {leak.Steps:N0} steps left memory of {leak.Site} behind on device {device.Device}: {new ByteSize(leak.BytesPerStep)} a step.",
        [$"{leak.Count:N0} allocations, {leak.Bytes:N0} bytes, were there at the end; steps end where Optimizer.step does"], null, Certainty.Medium,
        [new("detach what outlives the step: .item() or .detach().cpu() before it is put into a list or a sum", leak.Bytes, "a synchronization per step")]);

    private static Finding TakenLate(DeviceMemory device) => Note(
        "taken-late",
        $"The file was written after the exception was handled: at its end device {device.Device} has {new ByteSize(device.AtEnd.Live)} live. The figures here are of the event itself, by undoing what followed.",
        []);

    private static Finding Unused(DeviceMemory device)
    {
        var memory = device.AtEnd;
        return Note(
            "unused-reserve",
            $"Device {device.Device} has {new ByteSize(memory.Free)} of {new ByteSize(memory.Reserved)} reserved and not in use: empty_cache() would return {new ByteSize(memory.Releasable)}; "
            + $"{new ByteSize(memory.Trapped)} are trapped beside live blocks, the largest free piece is {new ByteSize(memory.LargestFree)}.",
            [$"{memory.Segments:N0} segments, fragmentation {memory.Index:0.00} (1 - largest free / free)"]);
    }

    private static Finding Pending(DeviceMemory device) => Note(
        "pending-free", $"{new ByteSize(device.AtEnd.PendingFree)} of device {device.Device} are freed by the program and wait for another stream (record_stream): fewer prefetched layers, or FSDP's limit_all_gathers, bound it.", []);

    private static Finding Note(string check, string message, ImmutableArray<string> evidence) => new(check, Severity.Note, message, evidence, null, Certainty.High, []);

    private static string[] WrongSums(MemorySnapshot snapshot) =>
    [
        .. snapshot.Segments
            .Select(segment => (segment, Sum: snapshot.Blocks(segment).Sum(block => block.Size)))
            .Where(pair => pair.Sum != pair.segment.Size)
            .Select(pair => $"the segment at 0x{pair.segment.Address:x}: {pair.segment.Size:N0} bytes, its blocks {pair.Sum:N0}"),
    ];
}
