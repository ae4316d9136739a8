using System.IO.Compression;
using System.Text;
using Plimsoll.Diagnostics.Growth;
using Plimsoll.Diagnostics.Growth.Readers;

namespace Plimsoll.Diagnostics.Tests.Growth.Readers;

/// <summary>Logs of other people's GPUs. None of them leaks.</summary>
public class SharedSeriesTests
{
    [Theory]
    [InlineData("dst915_llamacpp_multigpu_noheader.csv", 4)]
    [InlineData("eobo_rtx4090_gpu_log.csv", 1)]
    [InlineData("hxri_ltx_vram_log.csv", 1)]
    [InlineData("ogunatalay_t4_gpu_usage_custom.csv", 1)]
    [InlineData("openad_a6000_2gpu_gpu_usage.csv", 2)]
    [InlineData("zunaira_gpu_log_utf16le.csv", 1)]
    public void No_leak_is_seen_where_there_is_none(string file, int devices)
    {
        var series = SeriesReader.Read(File.ReadAllText(SharedData.Require($"series/{file}")));
        Assert.Equal(devices, series.Length);
        Assert.All(series.Select(GrowthDetector.Judge), verdict => Assert.False(verdict.IsProblem, $"{verdict.Series.Name}: {string.Join("; ", verdict.Evidence)}"));
    }

    [Fact]
    public void Samples_and_ceilings_are_those_of_the_file()
    {
        var gpus = SeriesReader.Read(File.ReadAllText(SharedData.Require("series/openad_a6000_2gpu_gpu_usage.csv")));
        Assert.Equal(["GPU 0 NVIDIA RTX A6000", "GPU 1 NVIDIA RTX A6000"], gpus.Select(gpu => gpu.Name));
        Assert.Equal(25073.0 * (1 << 20), gpus[0].Bytes[0]);
        Assert.Equal(49140L << 20, gpus[0].CeilingBytes);
        Assert.Equal(1.004, gpus[0].At[1] - gpus[0].At[0], 3);
    }

    [Fact]
    public void Jobs_that_come_and_go_are_a_sawtooth() =>
        Assert.Equal(GrowthShape.Sawtooth, GrowthDetector.Judge(SeriesReader.Read(File.ReadAllText(SharedData.Require("series/hxri_ltx_vram_log.csv"))).Single()).Shape);

    [Fact]
    public void A_table_without_memory_is_refused_by_its_columns()
    {
        var failure = Assert.Throws<SeriesFormatException>(() => SeriesReader.Read(File.ReadAllText(SharedData.Require("series/pranavdani_power_only.csv"))));
        Assert.Equal("no memory column among timestamp, power.draw [W]", failure.Message);
    }

    [Fact]
    public void Figures_that_people_typed_are_too_few() =>
        Assert.All(SeriesReader.Read(File.ReadAllText(SharedData.Require("series/issue_reported_growth.csv"))).Select(GrowthDetector.Judge), verdict => Assert.Equal(GrowthShape.InsufficientData, verdict.Shape));

    [Fact]
    public void Exporters_of_real_GPUs_are_read()
    {
        foreach (var file in Directory.GetFiles(SharedData.Require("series/prometheus"), "*.metrics"))
        {
            var series = SeriesReader.Read(File.ReadAllText(file));
            Assert.NotEmpty(series);
            Assert.All(series.Where(one => one.Ledger == MemoryLedger.Device && !one.Name.Contains("instance", StringComparison.Ordinal)), one => Assert.True(one.CeilingBytes > 6L << 30, file));
        }
    }

    [Fact]
    public void A_profiler_trace_has_the_books_of_its_allocator()
    {
        using var zipped = new GZipStream(File.OpenRead(SharedData.Require("series/kineto/hta_df_index_resolver.json.gz")), CompressionMode.Decompress);
        using var reader = new StreamReader(zipped, Encoding.UTF8);
        var series = SeriesReader.Read(reader.ReadToEnd());
        var reserved = series.Single(one => one.Name == "GPU 1 reserved");
        Assert.Equal(12782141440.0, reserved.Bytes[0]);
        Assert.Equal(34089730048, reserved.CeilingBytes);
        // CPU releases have no total in this trace; its events of the GPU do.
        Assert.Equal(28010, series.Where(one => one.Ledger == MemoryLedger.Allocated).Sum(one => one.Bytes.Length));
    }
}
