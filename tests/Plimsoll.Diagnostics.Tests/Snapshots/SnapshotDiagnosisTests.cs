using Plimsoll.Diagnostics.Snapshots;

namespace Plimsoll.Diagnostics.Tests.Snapshots;

public class SnapshotDiagnosisTests
{
    private const long MiB = Samples.MiB;

    private static SnapshotDiagnosis Of(byte[] file)
    {
        using var folder = new TemporaryFolder();
        return SnapshotDiagnosis.Of(SnapshotReader.Read(folder.Write("snapshot.pickle", file)));
    }

    [Fact]
    public void The_state_is_that_of_the_event_and_not_of_the_end()
    {
        var diagnosis = Of(Samples.OutOfMemory);
        var device = Assert.Single(diagnosis.Devices);
        Assert.Equal((Moment.OutOfMemory, 2), (device.Moment, device.EventIndex));
        Assert.Equal(24 * MiB, device.Live);
        Assert.Equal(24 * MiB, device.Reserved);
        Assert.Equal(4 * MiB, device.AtEnd.Live);
        Assert.Contains(diagnosis.Findings, finding => finding.Check == "taken-late");
        Assert.Equal(5 * MiB, diagnosis.Findings[0].ShortageBytes);
    }

    [Fact]
    public void Memory_belongs_to_the_line_that_allocated_it_not_to_the_one_that_freed_it()
    {
        var holders = Of(Samples.OutOfMemory).Devices[0].Holders;
        Assert.Equal(["model.py:42 (forward)", "load.py:7 (load_state_dict)"], holders.Select(holder => holder.Site.ToString()));
        Assert.Equal((20 * MiB, 2, MemoryCategory.Activations), (holders[0].Bytes, holders[0].Count, holders[0].Category));
        Assert.Equal((4 * MiB, MemoryCategory.Weights), (holders[1].Bytes, holders[1].Category));
    }

    [Fact]
    public void Free_memory_beside_live_blocks_is_trapped()
    {
        var memory = Of(Samples.OutOfMemory).Devices[0].AtEnd;
        Assert.Equal((20 * MiB, 0L, 20 * MiB, 100L), (memory.Trapped, memory.Releasable, memory.LargestFree, memory.Rounding));
    }

    [Fact]
    public void What_every_step_leaves_behind_is_a_leak()
    {
        var diagnosis = Of(Samples.Leaking);
        var leak = Assert.Single(diagnosis.Devices[0].Leaks);
        Assert.Equal(("train.py:12 (step)", 4, MiB), (leak.Site.ToString(), leak.Steps, leak.BytesPerStep));
        Assert.True(diagnosis.HasProblem);
    }

    [Fact]
    public void What_only_the_first_step_leaves_behind_is_none()
    {
        var diagnosis = Of(Samples.WarmingUp);
        Assert.Empty(diagnosis.Devices[0].Leaks);
        Assert.False(diagnosis.HasProblem);
    }
}
