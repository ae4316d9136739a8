using System.Globalization;
using System.Text;
using Plimsoll.Diagnostics.Growth;
using Plimsoll.Diagnostics.Growth.Readers;

namespace Plimsoll.Diagnostics.Tests.Growth.Readers;

/// <summary>The forms in which memory over time is written down, each with two samples of 1,000 and 1,500 MiB.</summary>
public class SeriesReaderTests
{
    private const double MiB = 1 << 20;

    public static TheoryData<string, string> Forms => new()
    {
        { "nvidia-smi", "timestamp, memory.used [MiB], memory.total [MiB]\n2026/08/01 03:59:40.361, 1000 MiB, 11264 MiB\n2026/08/01 03:59:41.361, 1500 MiB, 11264 MiB\n" },
        { "without units", "timestamp, memory.used [MiB]\n2026/08/01 03:59:40.361, 1000\n2026/08/01 03:59:41.361, 1500\n" },
        { "header before every sample", "timestamp, memory.used [MiB]\n2026/08/01 03:59:40, 1000 MiB\ntimestamp, memory.used [MiB]\n2026/08/01 03:59:41, 1500 MiB\n" },
        { "prose around", "Logging, please wait\ntimestamp, memory.used [MiB]\n2026/08/01 03:59:40, 1000 MiB\n2026/08/01 03:59:41, 1500 MiB\nUnable to go on, bye, see you\n" },
        { "a row without a value", "timestamp, memory.used [MiB]\n2026/08/01 03:59:40, 1000 MiB\n2026/08/01 03:59:40.5, [N/A]\n2026/08/01 03:59:41, 1500 MiB\n" },
        { "decimal commas", "timestamp, memory.used [MiB], power.draw [W]\n2026/08/01 03:59:40, 1000,0 MiB, 33,09 W\n2026/08/01 03:59:41, 1500,0 MiB, 33,14 W\n" },
        { "semicolons", "timestamp;memory.used [MiB]\n2026/08/01 03:59:40;1000,0 MiB\n2026/08/01 03:59:41;1500,0 MiB\n" },
        { "tabs and hours", "time\tvram_mb\n03:59:40\t1000\n03:59:41\t1500\n" },
        { "two columns in bytes", "seconds,bytes\n0,1048576000\n1,1572864000\n" },
        { "two columns in GiB", "time,used_gib\n1746556382,0.9765625\n1746556383,1.46484375\n" },
        { "a quoted CSV", "\"timestamp\",\"name\",\"memory_used\"\n\"2026-08-01T03:59:40Z\",\"A, B\",\"1000\"\n\"2026-08-01T03:59:41Z\",\"A, B\",\"1500\"\n" },
        { "gpustat", """{"hostname":"a","query_time":"2026-08-01T03:59:40.361","gpus":[{"index":0,"name":"T4","memory.used":1000,"memory.total":15360,"processes":[]}]}{"hostname":"a","query_time":"2026-08-01T03:59:41.361","gpus":[{"index":0,"name":"T4","memory.used":1500,"memory.total":15360,"processes":[]}]}""" },
        { "nvitop", """{"r/timestamp":1746556382.0,"r/cuda:0 (gpu:3)/memory_used (MiB)/mean":1000.0,"r/cuda:0 (gpu:3)/memory_used (MiB)/max":1200.0}""" + "\n" + """{"r/timestamp":1746556383.0,"r/cuda:0 (gpu:3)/memory_used (MiB)/mean":1500.0,"r/cuda:0 (gpu:3)/memory_used (MiB)/max":1600.0}""" },
        { "nvitop as CSV", "r/timestamp,r/cuda:0 (gpu:3)/memory_used (MiB)/mean\n1746556382,1000\n1746556383,1500\n" },
        { "DCGM", "DCGM_FI_DEV_FB_USED{gpu=\"0\",UUID=\"GPU-1\"} 1000 1746556382000\nDCGM_FI_DEV_FB_FREE{gpu=\"0\",UUID=\"GPU-1\"} 14000 1746556382000\nDCGM_FI_DEV_FB_USED{gpu=\"0\",UUID=\"GPU-1\"} 1500 1746556383000\n" },
        { "scrapes without time", "# TYPE gpu_memory_used gauge\ngpu_memory_used{index=\"0\"} 1000\n# TYPE gpu_memory_used gauge\ngpu_memory_used{index=\"0\"} 1500\n" },
        { "amd-smi", "timestamp,gpu,total_vram,used_vram,free_vram\n1746556382,0,16368,1000,15368\n1746556383,0,16368,1500,14868\n" },
        { "amd-smi as JSON", """[{"timestamp":1746556382,"gpu":0,"mem_usage":{"total_vram":{"value":16368,"unit":"MB"},"used_vram":{"value":1000,"unit":"MB"}}},{"timestamp":1746556383,"gpu":0,"mem_usage":{"total_vram":{"value":16368,"unit":"MB"},"used_vram":{"value":1500,"unit":"MB"}}}]""" },
        { "amd-smi with a list inside", """{"timestamp":1746556382,"gpu_data":[{"gpu":0,"mem_usage":{"used_vram":{"value":"1000","unit":"MB"}}}]}{"timestamp":1746556383,"gpu_data":[{"gpu":0,"mem_usage":{"used_vram":{"value":"1500","unit":"MB"}}}]}""" },
        { "rocm-smi", "time,device,VRAM Total Memory (B),VRAM Total Used Memory (B)\n1746556382,card0,17163091968,1048576000\n1746556383,card0,17163091968,1572864000\n" },
        { "typeperf", "\"(PDH-CSV 4.0)\",\"\\\\PC\\GPU Adapter Memory(luid_0x00000000_0x0000D1D2_phys_0)\\Dedicated Usage\"\r\n\"11/25/2026 15:00:01.100\",\"1048576000.000000\"\r\n\"11/25/2026 15:00:01.600\",\" \"\r\n\"11/25/2026 15:00:02.100\",\"1572864000.000000\"\r\n" },
        { "a range", """{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"nvidia_smi_memory_used_bytes","uuid":"x"},"values":[[1746556382,"1048576000"],[1746556383,"1572864000"]]}]}}""" },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void Every_form_gives_the_same_samples(string form, string text)
    {
        var series = Assert.Single(SeriesReader.Read(text));
        Assert.Equal((form, 1000 * MiB, 1500 * MiB), (form, series.Bytes[0], series.Bytes[^1]));
        Assert.Equal((2, 1.0), (series.Bytes.Length, Math.Round(series.Span, 3)));
    }

    [Fact]
    public void Counters_of_Windows_tell_adapters_and_processes_apart()
    {
        var series = SeriesReader.Read(
            """
            "(PDH-CSV 4.0) (W. Europe Standard Time)(-60)","\\PC\GPU Adapter Memory(luid_0x00000000_0x0000D1D2_phys_0)\Dedicated Usage","\\PC\GPU Adapter Memory(luid_0x00000000_0x0000D1D2_phys_0)\Shared Usage","\\PC\GPU Process Memory(pid_4711_luid_0x00000000_0x0000D1D2_phys_0)\Dedicated Usage","\\PC\Process(python)\Working Set"
            "11/25/2026 15:00:01.100","1000","2000","3000","4000"
            """);
        Assert.Equal(
            [("adapter 0xD1D2 dedicated usage", MemoryLedger.Device, 1000.0), ("adapter 0xD1D2 shared usage", MemoryLedger.Device, 2000), ("adapter 0xD1D2 pid 4711 dedicated usage", MemoryLedger.Process, 3000), ("python working set", MemoryLedger.Process, 4000)],
            series.Select(one => (one.Name, one.Ledger, one.Bytes[0])));
        Assert.Equal(MemorySeries.Host, series[3].Source);
    }

    [Fact]
    public void PowerShell_writes_UTF_16()
    {
        var bytes = Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("timestamp, memory.used [MiB]\n2026/08/01 03:59:40, 1000 MiB\n")).ToArray();
        using var reader = new StreamReader(new MemoryStream(bytes), detectEncodingFromByteOrderMarks: true);
        Assert.Equal(1000 * MiB, Assert.Single(SeriesReader.Read(reader.ReadToEnd())).Bytes[0]);
    }

    [Fact]
    public void Interleaved_devices_without_a_name_are_told_apart_by_their_place()
    {
        var text = string.Concat(Enumerable.Range(0, 20).SelectMany(second => Enumerable.Range(0, 3).Select(gpu =>
            string.Create(CultureInfo.InvariantCulture, $"2025/09/08 14:14:{second:00}.12{gpu}, 0, {1000 * (gpu + 1)}\n"))));
        Assert.Equal([1000 * MiB, 2000 * MiB, 3000 * MiB], SeriesReader.Read(text).Select(gpu => gpu.Bytes.Distinct().Single()));
    }

    [Fact]
    public void The_room_of_a_driver_is_not_usable()
    {
        const string Text = "index, memory.total [MiB], memory.reserved [MiB], memory.used [MiB]\n0, 16376 MiB, 434 MiB, 1000 MiB\n0, 16376 MiB, 434 MiB, 1500 MiB\n";
        Assert.Equal((16376L - 434) << 20, Assert.Single(SeriesReader.Read(Text)).CeilingBytes);
    }

    [Fact]
    public void Several_ledgers_come_from_one_table()
    {
        const string Text = "step,allocated_mb,reserved_mb\n1,100,300\n2,100,400\n";
        var series = SeriesReader.Read(Text);
        Assert.Equal([MemoryLedger.Allocated, MemoryLedger.Reserved], series.Select(one => one.Ledger));
        Assert.All(series, one => Assert.Equal(SeriesAxis.Steps, one.Axis));
    }

    [Fact]
    public void Trainers_print_their_allocator()
    {
        var log = string.Concat(Enumerable.Range(1, 30).Select(step => string.Create(CultureInfo.InvariantCulture, $"[rank0] step: {step * 10} loss 1.0\nGPU 0 memory - allocated: 1.89GB, reserved: {2 + (0.1 * step):0.00}GB\n")));
        var series = SeriesReader.Read(log);
        Assert.Equal((290.0, 1.89 * (1L << 30)), (series[0].Span, series[0].Bytes[0]));
        Assert.Equal("reserved-grows", Assert.Single(GrowthDiagnosis.Of(series).Findings).Check);
    }

    [Fact]
    public void DeepSpeed_prints_MA_and_CA() =>
        Assert.Equal(
            [1.5 * (1L << 30), 2.5 * (1L << 30)],
            SeriesReader.Read("[2025-02-10 07:34:25,340] [INFO] MA 1.5 GB         Max_MA 1.6 GB         CA 2.5 GB         Max_CA 3 GB \n").Select(one => one.Bytes[0]));

    [Theory]
    [InlineData("epoch 1, loss 0.5\nepoch 2, loss 0.4\nepoch 3, loss 0.3\n")]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1, 2, 3]")]
    [InlineData("{\"traceEvents\": [1, {\"name\": \"[memory]\", \"args\": 3}]}")]
    [InlineData("10:00:01, 55 %, 3 %\n10:00:02, 56 %, 4 %\n10:00:03, 57 %, 4 %\n")]
    public void What_holds_no_memory_gives_no_series(string text) => Assert.Empty(SeriesReader.Read(text));

    [Fact]
    public void Unified_memory_is_not_available_and_not_zero() =>
        Assert.Contains("unified memory", Assert.Throws<SeriesFormatException>(() => SeriesReader.Read("timestamp, memory.used [MiB]\n2026/08/01 03:59:40, [N/A]\n")).Message, StringComparison.Ordinal);

    /// <summary>Cut anywhere, a file gives what stands before the cut, or says what is wrong.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void A_cut_file_is_no_accident(string form, string text)
    {
        for (var length = 0; length < text.Length; length++)
        {
            var failure = Record.Exception(() => SeriesReader.Read(text[..length]));
            Assert.True(failure is null or SeriesFormatException, $"{form} cut at {length}: {failure}");
        }
    }
}
