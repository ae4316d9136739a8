using System.Text;
using Plimsoll.Checkpoints;
using Plimsoll.Diagnostics.Snapshots;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Diagnostics.Tests.Snapshots;

public class SnapshotReaderTests
{
    [Fact]
    public void Every_prefix_gives_only_the_format_exception()
    {
        using var folder = new TemporaryFolder();
        var file = Samples.OutOfMemory;
        for (var length = 0; length < file.Length; length++)
        {
            var path = folder.Write("cut.pickle", file[..length]);
            Assert.Throws<CheckpointFormatException>(() => SnapshotReader.Read(path));
        }
    }

    [Fact]
    public void Every_flipped_byte_gives_a_snapshot_or_the_format_exception()
    {
        using var folder = new TemporaryFolder();
        var file = Samples.OutOfMemory;
        for (var at = 0; at < file.Length; at++)
        {
            var flipped = file.ToArray();
            flipped[at] ^= 0xff;
            var path = folder.Write("flipped.pickle", flipped);
            var failure = Record.Exception(() => SnapshotDiagnosis.Of(SnapshotReader.Read(path)));
            Assert.True(failure is null or CheckpointFormatException, $"byte {at}: {failure}");
        }
    }

    [Theory]
    [InlineData("cos\nsystem\n", "Global")]
    [InlineData("\u0093", "StackGlobal")]
    [InlineData(")R", "Reduce")]
    [InlineData("(ios\nsystem\n", "Instance")]
    [InlineData("}}b", "Build")]
    [InlineData("Pid\n", "PersistentId")]
    [InlineData("\u0097", "NextBuffer")]
    public void What_plain_values_do_not_need_is_refused_by_name(string opcodes, string name)
    {
        var failure = Refusal([0x80, 2, .. Encoding.Latin1.GetBytes(opcodes), (byte)'.']);
        Assert.Contains(name, failure.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_is_bounded() => Assert.Contains("deep", Refusal([0x80, 2, .. Enumerable.Repeat((byte)'(', 5000)]).Expected, StringComparison.Ordinal);

    [Fact]
    public void A_pickle_of_something_else_is_no_snapshot() => Assert.Contains("segments", Refusal(SnapshotPickle.Of("hello")).Expected, StringComparison.Ordinal);

    [Fact]
    public void A_list_that_contains_itself_is_refused() => Assert.Contains("complete", Refusal([0x80, 2, (byte)']', (byte)'q', 0, (byte)'h', 0, (byte)'a', (byte)'.']).Found, StringComparison.Ordinal);

    [Theory]
    [InlineData("SYNTHETIC_HOSTILE_global_reduce.pickle")]
    [InlineData("SYNTHETIC_HOSTILE_memo_bomb.pickle")]
    public void Hostile_files_are_refused(string name) => Assert.Throws<CheckpointFormatException>(() => SnapshotReader.Read(SharedData.Require($"snapshots/{name}")));

    [Fact]
    public void Json_reads_as_the_pickle_does()
    {
        const string Json =
            """
            {"device_traces": [[{"action": "alloc", "addr": 18446602236709568512, "size": 1000, "stream": 0, "time_us": 1, "frames": [{"name": "f", "filename": "/a/b.py", "line": 3}]}]],
             "segments": [{"device": 0, "address": 18446602236709568512, "total_size": 2097152, "stream": 0, "segment_type": "small", "segment_pool_id": [0, 0],
                           "blocks": [{"address": 18446602236709568512, "size": 1024, "requested_size": 1000, "state": "active_allocated", "frames": []},
                                      {"address": 18446602236709569536, "size": 2096128, "requested_size": 0, "state": "inactive", "frames": []}]}]}
            """;
        using var folder = new TemporaryFolder();
        var head = Encoding.UTF8.GetBytes(Json);
        Assert.True(SnapshotReader.Recognizes(head));
        var device = Assert.Single(SnapshotDiagnosis.Of(SnapshotReader.Read(folder.Write("snapshot.json", head))).Devices);
        Assert.Equal((1024L, 2097152L, "b.py:3 (f)"), (device.Live, device.Reserved, Assert.Single(device.Holders).Site.ToString()));
    }

    [Fact]
    public void Cut_json_gives_the_format_exception()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("cut.json", """{"segments": [{"device": 0, """u8.ToArray());
        Assert.Throws<CheckpointFormatException>(() => SnapshotReader.Read(path));
    }

    private static CheckpointFormatException Refusal(byte[] file)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("bad.pickle", file);
        return Assert.Throws<CheckpointFormatException>(() => SnapshotReader.Read(path));
    }
}
