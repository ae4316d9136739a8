using Plimsoll.Diagnostics.Snapshots;

namespace Plimsoll.Diagnostics.Tests.Snapshots;

/// <summary>Snapshots that somebody else's torch wrote; figures by an independent script over Python's own unpickler.</summary>
public class SharedSnapshotTests
{
    private const double MiB = 1 << 20;
    private const double GiB = 1 << 30;

    private static SnapshotDiagnosis Of(string name) => SnapshotDiagnosis.Of(SnapshotReader.Read(SharedData.Require($"snapshots/{name}")));

    [Fact]
    public void The_real_failure_is_seen_as_it_was_when_it_happened()
    {
        var diagnosis = Of("constructor_sun_2.6M.pickle");
        var device = diagnosis.Devices.Single(device => device.Failed is not null);
        Assert.Equal((1, 421), (device.Device, device.EventIndex));
        Assert.Equal(78.29, device.Live / GiB, 2);
        Assert.Equal((5308694528L, 95682560L), (device.Failed!.Requested, device.Failed.DeviceFree));
        var culprit = device.Holders[0];
        Assert.Equal(("models.py", 174, "update_nodes", 12), (CodeSite.FileName(culprit.Site.File), culprit.Site.Line, culprit.Site.Name, culprit.Count));
        Assert.Equal(30_391, culprit.Bytes / MiB, 0);
        Assert.Equal(MemoryCategory.Activations, culprit.Category);
        Assert.Equal([174, 176, 178, 181], device.Holders.Take(4).Select(holder => holder.Site.Line).Order());
        Assert.Equal(385, device.AtEnd.Live / MiB, 0);
    }

    [Theory]
    [InlineData("magma27_cs336_torch2.11.pickle", 13524, 1314, 11228, 982)]
    [InlineData("bcrafton_cs336_1.27M.pickle", 4042, 2931, 940, 171)]
    [InlineData("layoutediting_114k.pickle", 5222, 3670, 876, 676)]
    public void Memory_is_divided_as_published(string name, double reserved, double live, double releasable, double trapped)
    {
        var memory = Of(name).Devices[0].AtEnd;
        Assert.Equal((reserved, live, releasable, trapped), (Math.Round(memory.Reserved / MiB), Math.Round(memory.Live / MiB), Math.Round(memory.Releasable / MiB), Math.Round(memory.Trapped / MiB)));
        Assert.Equal(memory.Reserved, memory.Live + memory.Free);
    }

    [Theory]
    [InlineData("docubox_dump.pickle")]
    [InlineData("layoutediting_memsnap_130k.pkl")]
    [InlineData("mosaic_output.pickle")]
    [InlineData("silmont2000_forward_bf16_128.pickle")]
    [InlineData("silmont2000_forward_fp32_128.pickle")]
    [InlineData("silmont2000_mem_snapshot.pickle")]
    [InlineData("thesis_t2sql_1243.pickle")]
    public void Every_version_of_torch_is_read(string name)
    {
        var diagnosis = Of(name);
        Assert.NotEmpty(diagnosis.Devices);
        Assert.All(diagnosis.Devices, device => Assert.True(device.AtEnd.Reserved > 0));
        Assert.Equal(name.StartsWith("mosaic", StringComparison.Ordinal), diagnosis.Findings.Any(finding => finding.Check == "sums-differ"));
    }

    [Theory]
    [InlineData("proto0")]
    [InlineData("proto1")]
    [InlineData("proto2")]
    [InlineData("proto3")]
    [InlineData("proto4")]
    [InlineData("proto5")]
    [InlineData("9byte_long")]
    public void Every_protocol_gives_the_same(string name)
    {
        var device = Of($"SYNTHETIC_{name}.pickle").Devices[0];
        Assert.Equal((Moment.OutOfMemory, 2097152L, 1536L), (device.Moment, device.Reserved, device.AtEnd.Live));
    }

    [Fact]
    public void The_layout_of_torch_1_13_has_its_stacks_in_histories()
    {
        var holder = Of("SYNTHETIC_legacy_history.pickle").Devices[0].Holders.First(holder => holder.Site.Line == 42);
        Assert.Equal("model.py:42 (forward)", holder.Site.ToString());
    }
}
