using Plimsoll.Numerics;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Tests.Inference;

/// <summary>Figures that others printed: logs of llama.cpp and vLLM, the speed pages of Qwen.</summary>
public class PublishedFigureTests
{
    private static readonly KvFormat Q8 = new(NumberFormats.Q8_0, NumberFormats.Q8_0);

    // "KV self size" and "llama_kv_cache: size" lines; MiB.
    [Theory]
    [InlineData("llama-3.1-8b", 16384, "f16", 2048.00)]
    [InlineData("qwen3-30b-a3b", 32768, "f16", 3072.00)]
    [InlineData("qwen3-32b", 8192, "f16", 2048.00)]
    [InlineData("qwen3-32b", 16896, "q8_0", 2244.00)]
    [InlineData("qwen3-235b-a22b", 16384, "q8_0", 1598.00)]
    [InlineData("phi-3-mini-4k-instruct", 8192, "f16", 3072.00)]
    [InlineData("deepseek-v3", 32768, "f16", 2196.00)]
    [InlineData("deepseek-v3", 32768, "q8_0", 1166.62)]
    [InlineData("deepseek-v3", 61440, "q8_0", 2187.42)]
    public void Llama_cpp_caches_equal_the_logged_sizes(string model, long context, string format, double mebibytes)
    {
        var request = Requests.For(model, engine: "llama.cpp", context: context) with { KvFormat = format == "q8_0" ? Q8 : KvFormat.Fp16 };
        Assert.Equal(mebibytes, new ByteSize(InferencePlanner.Plan(request).Bytes("KV cache")).InMiB, 0.0051);
    }

    // ollama, gemma3:4b at 8192: "160 global + 232 local"; micro-batch 1024.
    [Fact]
    public void Sliding_window_layers_hold_the_window_and_one_micro_batch_of_cells()
    {
        var request = Requests.For("gemma-3-4b-it", engine: "llama.cpp", context: 8192) with { LlamaCpp = new() { MicroBatch = 1024 } };
        Assert.Equal(392.00, new ByteSize(InferencePlanner.Plan(request).Bytes("KV cache")).InMiB, 0.0051);
    }

    // ik_llama.cpp: gemma-3-27b at 131072 tokens caches the whole context in each layer.
    [Fact]
    public void The_fork_keeps_the_whole_context_in_window_layers()
    {
        var request = Requests.For("gemma-3-27b-it", engine: "ik_llama.cpp", context: 131072);
        Assert.Equal(63488.00, new ByteSize(InferencePlanner.Plan(request).Bytes("KV cache")).InMiB, 0.0051);
    }

    // deepseek-v2 16b through ollama at 32768: 8640 MiB with expanded heads.
    [Fact]
    public void Old_latent_files_cache_every_head()
    {
        var request = Requests.For("deepseek-v2-lite", engine: "llama.cpp", context: 32768) with { LlamaCpp = new() { LatentLayout = LatentCacheLayout.Expanded } };
        Assert.Equal(8640.00, new ByteSize(InferencePlanner.Plan(request).Bytes("KV cache")).InMiB, 0.0051);
    }

    // Token embedding in RAM, the rest on the GPU: 281.81 and 4155.99 MiB for Llama 3.1 8B Q4_0 (Vulkan log).
    [Fact]
    public void Llama_cpp_keeps_the_token_embedding_in_ram()
    {
        var plan = InferencePlanner.Plan(Requests.For("llama-3.1-8b", "q4_0", "llama.cpp"));
        Assert.Equal(281.81, new ByteSize(plan.Host!.PeakPhase.Of(PlanCategory.Weights).Expected).InMiB, 0.0051);
        Assert.Equal(4155.99, new ByteSize(plan.Fullest.PeakPhase.Of(PlanCategory.Weights).Expected).InMiB, 0.0051);
    }

    // Compute buffers of ik_llama.cpp with flash attention and the output layer on the GPU; MiB.
    [Theory]
    [InlineData("qwen3-235b-a22b", 16384, 512, 304.75)]
    [InlineData("gemma-3-27b-it", 32768, 512, 522.62)]
    [InlineData("qwen3-30b-a3b", 32768, 512, 304.75)]
    public void Compute_buffers_hold_the_logits_of_a_micro_batch(string model, long context, int microBatch, double mebibytes)
    {
        var request = Requests.For(model, engine: "ik_llama.cpp", context: context) with { LlamaCpp = new() { MicroBatch = microBatch } };
        var plan = InferencePlanner.Plan(request);
        Assert.Equal(mebibytes, new ByteSize(plan.Bytes("compute buffer")).InMiB, mebibytes * 0.015);
    }

    // Without flash attention the scores decide: Qwen3-32B at 40960 tokens on a CPU, 5252.01 MiB.
    [Fact]
    public void Without_flash_attention_the_scores_fill_the_compute_buffer()
    {
        var request = Requests.For("qwen3-32b", engine: "ik_llama.cpp", context: 40960) with { FlashAttention = false, LlamaCpp = new() { GpuLayers = 0 } };
        Assert.Equal(5252.01, new ByteSize(InferencePlanner.Plan(request).Bytes("host compute buffer")).InMiB, 1.0);
    }

    // vLLM: "KV 53.29 GiB" of an A100 80GB (79.22 GiB) at 0.9 for Llama 3 8B; weights 14.96 GiB.
    [Fact]
    public void The_vllm_pool_is_what_the_rest_leaves()
    {
        var request = Requests.For("meta-llama-3-8b", engine: "vllm@0.6", context: 8192) with { DeviceBytes = ByteSize.FromMiB(81121.28).Bytes };
        var plan = InferencePlanner.Plan(request);
        Assert.Equal(14.96, new ByteSize(plan.Bytes("weights")).InGiB, 0.005);
        Assert.Equal(53.29, new ByteSize(plan.Bytes("KV cache pool")).InGiB, 53.29 * 0.05);
        Assert.Equal(plan.PoolTokens, plan.Bytes("KV cache pool") / 131072);
    }

    // Qwen3-235B-A22B on TP 4: 8.11 GiB = 178,880 tokens is 1.1 % off in the log itself; Qwen3-4B: 3.06 GiB = 1394 blocks of 16.
    [Fact]
    public void Vllm_counts_its_pool_in_blocks_of_sixteen_tokens()
    {
        var request = Requests.For("qwen3-4b", engine: "vllm@0.6", context: 1394 * 16);
        Assert.Equal(3.06, new ByteSize(InferencePlanner.Plan(request).Bytes("KV cache")).InGiB, 0.005);
    }

    [Fact]
    public void Vllm_refuses_to_start_when_the_pool_is_shorter_than_one_sequence()
    {
        var request = Requests.For("llama-3.1-8b", engine: "vllm", context: 131072) with { DeviceBytes = ByteSize.FromGiB(23.5).Bytes };
        var plan = InferencePlanner.Plan(request);
        Assert.Contains("will not start", plan.Impossible, StringComparison.Ordinal);
        Assert.Contains("--max-model-len", plan.Impossible, StringComparison.Ordinal);
    }

    // Qwen's speed pages: total MiB by torch; Qwen2.5 with transformers 4.46, peak of prompt and answer.
    [Theory]
    [InlineData("qwen2.5-0.5b", "bf16", 6144, 1259.52)]
    [InlineData("qwen2.5-7b", "bf16", 1, 14725.12)]
    [InlineData("qwen2.5-7b", "bf16", 30720, 20449.28)]
    [InlineData("qwen2.5-7b", "gptq:8bit-g128", 14336, 11223.04)]
    [InlineData("qwen2.5-7b", "awq", 30720, 11243.52)]
    public void Transformers_totals_are_within_one_percent(string model, string precision, int prompt, double mebibytes)
    {
        var plan = InferencePlanner.Plan(Requests.For(model, precision, "transformers@4.46", prompt + 2048) with { Prompt = prompt });
        var allocated = plan.Devices[0].Phases.Max(phase => phase.Sum(line => line.Place == MemoryPlace.Device).Expected);
        Assert.Equal(mebibytes, new ByteSize(allocated).InMiB, mebibytes * 0.012);
    }

    // transformers 4.38: the logits of the whole prompt; Qwen2-1.5B at 30,720 tokens measured 31,037 MiB for a 2.9 GiB model.
    [Fact]
    public void Old_transformers_compute_logits_for_the_whole_prompt()
    {
        var plan = InferencePlanner.Plan(Requests.For("qwen2-1.5b", "bf16", "transformers@4.38.2", 32768) with { Prompt = 30720 });
        Assert.Equal(31037, new ByteSize(plan.Fullest.PeakPhase.Sum(line => line.Place == MemoryPlace.Device).Expected).InMiB, 31037 * 0.01);
    }
}
