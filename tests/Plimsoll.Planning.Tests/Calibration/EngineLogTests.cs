using System.Globalization;
using System.Text.Json;
using Plimsoll.Planning.Calibration;

namespace Plimsoll.Planning.Tests.Calibration;

public class EngineLogTests
{
    private const double MiB = 1 << 20;

    /// <summary>Reference: <c>index.json</c>, the fields of 70 published logs as another program read them.</summary>
    [Fact]
    public void Published_logs_of_llama_cpp_are_read_as_their_index_has_them()
    {
        var folder = SharedData.Require("llamacpp-logs");
        using var index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "index.json")));
        Assert.All(index.RootElement.EnumerateArray(), entry =>
        {
            var log = EngineLog.Read(Path.Combine(folder, entry.GetProperty("file").GetString()!));
            Assert.Equal(EngineLogKind.LlamaCpp, log.Kind);
            var compute = entry.GetProperty("compute").EnumerateArray().Select(pair => (Place: pair[0].GetString()!, MiB: double.Parse(pair[1].GetString()!, CultureInfo.InvariantCulture))).ToList();
            // Some files hold the loads of several runs; the index has the first of them, a log here is the last.
            var read = log.Of(LogTerm.Compute).ToDictionary(size => size.Place, size => Math.Round(size.Bytes / MiB, 2));
            if (File.ReadLines(log.Path).Count(line => line.Contains("KV self size", StringComparison.Ordinal)) == 1 && compute.Count > 0)
            {
                // The index keeps the first six buffers of a log.
                Assert.All(compute, buffer => Assert.Equal(buffer.MiB, read[buffer.Place]));
                Assert.Equal(double.Parse(entry.GetProperty("kv").GetString()!, CultureInfo.InvariantCulture), log.Of(LogTerm.KvCache).Sum(size => size.Bytes) / MiB, 0.1);
                Assert.Equal(entry.GetProperty("n_ctx").GetString(), log.Setting("n_ctx"));
            }
        });
    }

    [Fact]
    public void The_lines_of_vllm_are_read_whatever_stands_before_them()
    {
        var log = Read(
            """
            INFO 03-14 10:11:12 [llm_engine.py:234] Initializing a V0 LLM engine (v0.8.1) with config: model='m', max_seq_len=8192, tensor_parallel_size=2, enforce_eager=False, kv_cache_dtype=auto
            (VllmWorker rank=0 pid=123) INFO 03-14 10:11:20 [model_runner.py:1110] Loading model weights took 7,5100 GB
            ESC[1;36m(VllmWorker ESC[0;0mrank=1 pid=124) INFO 03-14 10:11:20 [worker.py:267] model weights take 7.52GiB; non_torch_memory takes 1.20GiB; PyTorch activation peak memory takes 0.61GiB; the rest of the memory reserved for KV Cache is 30.25GiB.
            INFO 03-14 10:11:22 [executor_base.py:111] # cuda blocks: 30,976, # CPU blocks: 4096
            INFO 03-14 10:11:40 [model_runner.py:1564] Graph capturing finished in 18 secs, took 0.37 GiB
            """.Replace("ESC", "\x1b", StringComparison.Ordinal));
        Assert.Equal(EngineLogKind.Vllm, log.Kind);
        Assert.Equal([7.51, 7.52], log.Of(LogTerm.Weights).Select(size => Math.Round(size.Bytes / MiB / 1024, 4)));
        Assert.Equal(1.2, log.Of(LogTerm.Context).Single().Bytes / MiB / 1024, 1e-6);
        Assert.Equal(0.61, log.Of(LogTerm.ActivationPeak).Single().Bytes / MiB / 1024, 1e-6);
        Assert.Equal(30.25, log.Of(LogTerm.KvCache).Single().Bytes / MiB / 1024, 1e-6);
        Assert.Equal(0.37, log.Of(LogTerm.Graphs).Single().Bytes / MiB / 1024, 1e-6);
        Assert.Equal(30_976 * 16, VllmCalibration.Tokens(log));
        Assert.Equal(("8192", "2"), (log.Setting("max_model_len"), log.Setting("tp")));
    }

    [Fact]
    public void The_peak_column_of_a_memory_summary_counts_and_the_process_gives_the_context()
    {
        var log = Read(
            """
            |                  PyTorch CUDA memory summary, device ID 0                 |
            |        Metric         | Cur Usage  | Peak Usage | Tot Alloc  | Tot Freed  |
            | Allocated memory      |  14336 MiB |  15872 MiB |  99000 MiB |  84664 MiB |
            |       from large pool |  14330 MiB |  15866 MiB |  98000 MiB |  83664 MiB |
            | GPU reserved memory   |  16000 MiB |  16384 MiB |  16384 MiB |    384 MiB |
            |    0   N/A  N/A      4242      C   python                          16890MiB |
            """);
        Assert.Equal(EngineLogKind.PyTorch, log.Kind);
        Assert.Equal(15872, log.Of(LogTerm.Allocated).Single().Bytes / MiB);
        Assert.Equal(16384, log.Of(LogTerm.Reserved).Single().Bytes / MiB);
        Assert.Equal(16890, log.Of(LogTerm.Process).Single().Bytes / MiB);
    }

    [Theory]
    [InlineData("step 10 allocated: 14.50 GiB, reserved: 15.25 GiB", 14.5 * 1024 * MiB)]
    [InlineData("max_memory_allocated: 14,50 GiB", 14.5 * 1024 * MiB)]
    [InlineData("Memory allocated = 1,024.5 MiB", 1024.5 * MiB)]
    [InlineData("peak allocated: 15.2 GB", 15.2e9)]
    public void Lines_that_people_print_are_read_with_their_unit(string line, double bytes) =>
        Assert.Equal(bytes, Read(line).Of(LogTerm.Allocated).Single().Bytes, 1.0);

    [Fact]
    public void A_text_without_figures_is_refused_with_what_was_looked_for()
    {
        var failure = Assert.Throws<EngineLogException>(() => Read("Hello\nallocated: many GiB\n" + new string('x', 100_000)));
        Assert.Contains("buffer size", failure.Message, StringComparison.Ordinal);
        Assert.Contains("model weights take", failure.Message, StringComparison.Ordinal);
        Assert.Contains("memory_summary", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("load_tensors: CUDA0 model buffer size = 99999999999999999999999999.00 MiB")]
    [InlineData("load_tensors: CUDA0 model buffer size = ... MiB")]
    public void Figures_that_no_machine_has_are_not_read(string line) => Assert.Throws<EngineLogException>(() => Read(line));

    [Fact]
    public void The_last_start_of_a_log_counts()
    {
        var start = "load_tensors:        CUDA0 model buffer size =  100.00 MiB\nllama_kv_cache_unified: CUDA0 KV buffer size = 10.00 MiB\n";
        var log = Read(start + start.Replace("100.00", "200.00", StringComparison.Ordinal));
        Assert.Equal(200, log.Of(LogTerm.Weights).Single().Bytes / MiB);
        Assert.Equal(10, log.Of(LogTerm.KvCache).Single().Bytes / MiB);
    }

    private static EngineLog Read(string text) => EngineLog.Read(new StringReader(text), "run.log");
}
