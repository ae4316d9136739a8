using System.Text.Json;

namespace Plimsoll.Cli.Tests.Plan;

public sealed class PlanCalibrationTests : IDisposable
{
    /// <summary>Figures of a published load of Llama 3.1 8B Q4_0 (ik_llama.cpp discussion 562), in mainline's present words.</summary>
    private const string LlamaCpp =
        """
        print_info: file type   = Q4_0
        print_info: file size   = 4.33 GiB (4.64 BPW)
        load_tensors: offloaded 33/33 layers to GPU
        load_tensors:      Vulkan0 model buffer size =  4155.99 MiB
        load_tensors:   CPU_Mapped model buffer size =   281.81 MiB
        llama_context: n_ctx         = 16384
        llama_context: n_ubatch      = 1024
        llama_context: flash_attn    = 1
        llama_kv_cache_unified:    Vulkan0 KV buffer size =  2048.00 MiB
        llama_kv_cache_unified: size = 2048.00 MiB ( 16384 cells,  32 layers,  1 seqs), K (f16): 1024.00 MiB, V (f16): 1024.00 MiB
        llama_context:    Vulkan0 compute buffer size =   613.01 MiB
        llama_context: Vulkan_Host compute buffer size =    80.01 MiB
        llama_memory_breakdown_print: |   - Vulkan0 (RTX 4090)  | 24081 = 16600 + ( 6817 =  4155 +    2048 +     613) +         664 |
        """;

    private const string Vllm =
        """
        INFO 03-14 [llm_engine.py:234] Initializing an LLM engine (v0.8.1) with config: max_seq_len=8192, tensor_parallel_size=1
        INFO 03-14 [worker.py:267] model weights take 14.99GiB; non_torch_memory takes 0.90GiB; PyTorch activation peak memory takes 1.20GiB; the rest of the memory reserved for KV Cache is 53.50GiB.
        INFO 03-14 [executor_base.py:111] GPU KV cache size: 438,272 tokens
        INFO 03-14 [model_runner.py:1564] Graph capturing finished in 18 secs, took 0.37 GiB
        """;

    private static readonly string[] LlamaCppPlan = ["plan", "llama-3.1-8b", "-p", "q4_0", "--context", "16k", "--ubatch", "1024"];

    private readonly TemporaryFolder folder = new();

    private Dictionary<string, string> Variables => new() { ["XDG_CONFIG_HOME"] = folder.Path };

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_load_log_of_llama_cpp_agrees_with_its_plan()
    {
        var run = Run([.. LlamaCppPlan, "--calibrate", folder.Write("run.log", LlamaCpp), "--json"]);
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal("exact", Term(run, "KV cache").GetProperty("verdict").GetString());
        Assert.Equal("within_bounds", Term(run, "compute buffer").GetProperty("verdict").GetString());
        Assert.NotEqual("outside", Term(run, "weights on GPU").GetProperty("verdict").GetString());
        Assert.Equal("outside", Term(run, "CUDA context").GetProperty("verdict").GetString());
        Assert.Equal(0, run.Json.GetProperty("calibration").GetProperty("findings").GetArrayLength());
    }

    [Fact]
    public void Another_context_is_a_finding_and_not_a_correction()
    {
        var run = Run("plan", "llama-3.1-8b", "-p", "q4_0", "--ubatch", "1024", "--calibrate", folder.Write("run.log", LlamaCpp));
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("--context 16384", run.Output, StringComparison.Ordinal);
        Assert.Contains("KV cache: the plan says 1.00 GiB, the log 2.00 GiB (-50.0%)", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("constant KV", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_saved_profile_is_used_by_the_next_plan_and_only_then()
    {
        var log = folder.Write("run.log", LlamaCpp);
        string[] next = [.. LlamaCppPlan, "--explain"];
        Assert.Equal(0, Run([.. LlamaCppPlan, "--calibrate", log]).ExitCode);
        Assert.DoesNotContain("calibrated from", Run(next).Output, StringComparison.Ordinal);
        Assert.Equal(0, Run([.. LlamaCppPlan, "--calibrate", log, "--save-profile"]).ExitCode);
        Assert.Contains("source: calibrated from run.log on 20", Run(next).Output, StringComparison.Ordinal);
        var again = Run([.. LlamaCppPlan, "--calibrate", log, "--json"]);
        Assert.Equal("exact", Term(again, "CUDA context").GetProperty("verdict").GetString());
        Assert.Equal(0, again.Json.GetProperty("calibration").GetProperty("corrections").GetArrayLength());
    }

    [Fact]
    public void Corrections_of_several_engines_lie_in_one_profile()
    {
        Assert.Equal(0, Run([.. LlamaCppPlan, "--calibrate", folder.Write("a.log", LlamaCpp), "--save-profile"]).ExitCode);
        Assert.Equal(0, Run("plan", "llama-3.1-8b", "--calibrate", folder.Write("b.log", Vllm), "--save-profile").ExitCode);
        using var saved = JsonDocument.Parse(File.ReadAllText(folder.File("plimsoll/engines.json")));
        var constants = saved.RootElement.GetProperty("corrections").EnumerateArray().Select(item => $"{item.GetProperty("engine").GetString()} {item.GetProperty("constant").GetString()}");
        Assert.Equal(["llama.cpp cuda_context", "vllm non_torch", "vllm graphs"], constants);
    }

    [Theory]
    [InlineData(LlamaCpp, "KV cache=kv_cache;compute buffer=compute", "-p", "q4_0", "--context", "16k", "--ubatch", "1024")]
    [InlineData(Vllm, "weights=weights;KV cache pool=kv_pool;KV cache of 438,272 tokens=kv_tokens", "--engine", "vllm@0.8", "--gpu", "h100")]
    [InlineData("allocated: 16.50 GiB, reserved: 17.00 GiB", "allocated peak=total", "--engine", "transformers", "--prompt", "512")]
    public void An_exported_case_has_the_errors_of_the_comparison(string log, string pairs, params string[] options)
    {
        var cases = folder.Write("cases.jsonl", "");
        var run = Run(["plan", "llama-3.1-8b", .. options, "--calibrate", folder.Write("run.log", log), "--export-case", cases, "--json"]);
        Assert.True(run.ExitCode == 0, run.Error);
        var accuracy = Run("accuracy", cases, "--json");
        Assert.True(accuracy.ExitCode == 0, accuracy.Error);
        var results = accuracy.Json.GetProperty("cases").EnumerateArray().ToDictionary(item => item.GetProperty("quantity").GetString()!);
        foreach (var pair in pairs.Split(';').Select(pair => pair.Split('=')))
        {
            var term = Term(run, pair[0]);
            var error = (double)term.GetProperty("difference_bytes").GetInt64() / term.GetProperty("logged_bytes").GetInt64();
            Assert.Equal(error, results[pair[1]].GetProperty("error").GetDouble(), 1e-4);
        }
    }

    [Theory]
    [InlineData(2, "belongs to --calibrate", "--save-profile")]
    [InlineData(3, "no such file", "--calibrate", "absent.log")]
    [InlineData(3, "Looked for llama.cpp", "--calibrate", "CHANGED")]
    [InlineData(3, "add --engine vllm", "--engine", "transformers", "--calibrate", "VLLM")]
    public void What_cannot_be_compared_is_refused_with_the_next_step(int exitCode, string said, params string[] options)
    {
        var files = new Dictionary<string, string> { ["CHANGED"] = folder.Write("changed.log", "nothing of use"), ["VLLM"] = folder.Write("vllm.log", Vllm) };
        var run = Run(["plan", "llama-3.1-8b", .. options.Select(option => files.GetValueOrDefault(option, option))]);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(said, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_profile_is_named()
    {
        folder.Write("plimsoll/engines.json", "{\"corrections\": 1}");
        var run = Run("plan", "llama-3.1-8b");
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("engines.json", run.Error, StringComparison.Ordinal);
    }

    private CommandRun Run(params string[] args) => CommandRun.Of(Variables, args);

    private static JsonElement Term(CommandRun run, string name) =>
        run.Json.GetProperty("calibration").GetProperty("terms").EnumerateArray().Single(term => term.GetProperty("name").GetString() == name);
}
