using System.Text;
using Plimsoll.Checkpoints;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;

namespace Plimsoll.Planning.Tests.Calibration;

public class EngineCorrectionTests
{
    private static readonly EngineCorrection Graphs = new("vllm", "0.26", "graphs", new(ByteSize.MiB, 2 * ByteSize.MiB, 3 * ByteSize.MiB), "calibrated from a.log on 2026-01-02");

    [Fact]
    public void A_saved_correction_lies_over_its_own_version_only()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("new/engines.json");
        EngineCorrections.Save(path, [Graphs]);
        using var stream = File.OpenRead(path);
        var catalog = EngineCatalog.Load(stream, path, EngineCatalog.Default);
        Assert.Equal(Graphs.Bytes, catalog.Find("vllm")!.Bytes("graphs"));
        Assert.Equal(Graphs.Source, catalog.Find("vllm")!.Source("graphs"));
        Assert.Equal(EngineCatalog.Default.Find("vllm@0.21")!.Bytes("graphs"), catalog.Find("vllm@0.21")!.Bytes("graphs"));
        Assert.Equal(EngineCatalog.Default.Find("vllm")!.Bytes("non_torch"), catalog.Find("vllm")!.Bytes("non_torch"));
    }

    [Fact]
    public void Saving_leaves_no_temporary_file_and_replaces_the_old_one()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("engines.json", "{\"corrections\": []}");
        EngineCorrections.Save(path, [Graphs]);
        Assert.Equal([path], Directory.GetFiles(folder.Path));
        using var stream = File.OpenRead(path);
        Assert.Equal([Graphs], EngineCorrections.Read(stream, path));
    }

    [Fact]
    public void A_newer_correction_replaces_the_older_of_the_same_constant()
    {
        var newer = Graphs with { Source = "newer" };
        var other = Graphs with { Constant = "non_torch" };
        Assert.Equal([other, newer], EngineCorrections.Merge([Graphs, other], [newer]));
    }

    [Theory]
    [InlineData("[]", "corrections")]
    [InlineData("{", "JSON")]
    [InlineData("{\"corrections\": [1]}", "an object")]
    [InlineData("""{"corrections": [{"engine": "vllm", "since": "0.26", "constant": "graphs", "low_mib": 5, "expected_mib": 4, "high_mib": 6, "source": "x"}]}""", "low_mib <= expected_mib")]
    [InlineData("""{"corrections": [{"engine": "vllm", "since": "0.26", "constant": "graphs", "low_mib": -5, "expected_mib": 4, "high_mib": 6, "source": "x"}]}""", "low_mib")]
    [InlineData("""{"corrections": [{"engine": "vlm", "since": "0.26", "constant": "graphs", "low_mib": 1, "expected_mib": 4, "high_mib": 6, "source": "x"}]}""", "vllm")]
    [InlineData("""{"corrections": [{"engine": "vllm", "since": "0.26", "constant": "utilization", "low_mib": 1, "expected_mib": 4, "high_mib": 6, "source": "x"}]}""", "utilization")]
    public void A_file_that_is_no_list_of_corrections_is_refused(string json, string named)
    {
        var failure = Assert.Throws<CheckpointFormatException>(() => EngineCatalog.Load(new MemoryStream(Encoding.UTF8.GetBytes(json)), "engines.json", EngineCatalog.Default));
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
    }
}
