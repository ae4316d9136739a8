using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Serving engines that refuse to start: which of their budgets was too small, and what value would do.</summary>
internal sealed class ServingCheck : IOutOfMemoryCheck
{
    /// <summary>Free memory varies by so much between two starts.</summary>
    private const double Slack = 0.3;

    public ImmutableArray<Rule> Rules =>
    [
        new("vllm-startup", "free memory on startup is less than desired", "free, total and utilization", "vllm/v1/worker/gpu_worker.py"),
        new("vllm-no-cache-blocks", "no available memory for the cache blocks", "the message; available KV cache memory from the log", "vllm/v1/core/kv_cache_utils.py"),
        new("vllm-cache-too-small", "the KV cache does not hold one sequence", "needed and available, or tokens", "vllm/v1/core/kv_cache_utils.py"),
        new("vllm-sampler", "out of memory when warming up the sampler", "the number of dummy requests", "vllm/v1/worker/gpu_model_runner.py"),
        new("sglang-startup", "not enough memory, increase --mem-fraction-static", "the message; the fraction", "sglang model_runner"),
        new("sglang-tokens", "prefill or decode out of memory", "tokens asked for and available", "sglang mem_cache"),
        new("tgi-prefill", "not enough memory to handle prefill tokens", "the number of tokens", "text-generation-inference flash_causal_lm"),
        new("ollama-layout", "memory layout cannot be allocated", "the message", "ollama llm/server.go"),
        new("tensorrt-llm", "executor creation failed", "the message", "TensorRT-LLM executor"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found) => found.Event.Family switch
    {
        "vllm-startup" => [Start(found)],
        "vllm-no-cache-blocks" => [NoBlocks(found)],
        "vllm-cache-too-small" => [SmallCache(found)],
        "vllm-sampler" => [Sampler(found)],
        "sglang-startup" or "sglang-pool" => [Sglang(found)],
        "sglang-tokens" => [Tokens(found)],
        "tgi-prefill" => [Tgi(found)],
        "ollama-layout" => [Cause(found, "ollama-layout", "ollama found no division of the layers between GPU and host that fits: the model with its context is larger than what it may use.", null,
            [
                new("a shorter context (OLLAMA_CONTEXT_LENGTH, num_ctx): the newest models ask for 256 k tokens by default", null, "shorter conversations"),
                new("no fixed num_gpu, so that it chooses how many layers the GPU gets; OLLAMA_KV_CACHE_TYPE=q8_0 with OLLAMA_FLASH_ATTENTION=1", null, "speed"),
                new("a smaller quantization or model (plimsoll plan MODEL.gguf --gpu GPU --context N)", null, "quality"),
            ])],
        "tensorrt-llm" => [Cause(found, "tensorrt-llm", "TensorRT-LLM's executor found no room for weights, KV cache and buffers; the log above it lists what each component took.", null,
            [
                new("a lower kv_cache_config.free_gpu_memory_fraction (0.9 by default), max_num_tokens or max_batch_size", null, "throughput"),
                new("a shorter max_seq_len; quantized weights and KV cache (fp8); more GPUs (tp_size)", null, "a shorter context, a little quality, or another GPU"),
            ])],
        _ => [],
    };

    private static Finding Start(OutOfMemoryCase found)
    {
        var (free, total, serving) = (found.Event.Ledger.Free ?? default, found.Event.Ledger.Total ?? default, found.Event.Serving!);
        var missing = (serving.Desired ?? default) - free;
        var most = total.Bytes > 0 ? Math.Floor(100 * (free.Bytes - Slack * ByteSize.GiB) / total.Bytes) / 100 : 0;
        var used = total - free;
        var lower = string.Create(CultureInfo.InvariantCulture, $"--gpu-memory-utilization {most:0.00}");
        return Cause(found, "vllm-startup",
            $"vLLM wants {serving.Utilization:P0} of the GPU ({serving.Desired}), but when it started only {free} of {total} were free: {used} are in use by others or by a process that is still ending.",
            missing,
            [
                new("free the GPU: nvidia-smi shows who holds it; orphaned engine processes of an earlier run are common", used.Bytes, "none", true),
                .. most > 0.05 ? [new Fix($"{lower}, if the model still fits in that", missing.Bytes, "a smaller KV cache")] : Array.Empty<Fix>(),
                new("another GPU (CUDA_VISIBLE_DEVICES)", null, "none"),
            ]);
    }

    private static Finding NoBlocks(OutOfMemoryCase found)
    {
        var short_ = found.Event.Serving?.CacheAvailable is { Bytes: < 0 } available ? new Amount(-available.Bytes, available.Rounding) : (Amount?)null;
        return Cause(found, "vllm-no-cache-blocks",
            $"After weights, activations and graphs nothing is left for the KV cache{(short_ is { } amount ? $": the budget is exceeded by {amount} before the first token" : "")}.",
            short_,
            [
                new("a higher --gpu-memory-utilization (up to 0.95), if the GPU is otherwise empty and the shortage is small", null, "less room for others"),
                new("--enforce-eager, and a lower --max-num-seqs and --max-num-batched-tokens: less for graphs and activations", null, "throughput"),
                .. Fixes.Serving(),
            ]);
    }

    private static Finding SmallCache(OutOfMemoryCase found)
    {
        var serving = found.Event.Serving!;
        var missing = serving is { CacheNeeded: { } needed, CacheAvailable: { } available } ? needed - available : (Amount?)null;
        var possible = serving.PossibleLength ?? (missing is not null && serving.ModelLength is { } length ? length * serving.CacheAvailable!.Value.Bytes / Math.Max(1, serving.CacheNeeded!.Value.Bytes) : null);
        var message = serving.CacheTokens is { } tokens
            ? $"The KV cache holds {tokens:N0} tokens, and one sequence may have {serving.ModelLength:N0}."
            : $"One sequence of {serving.ModelLength:N0} tokens needs {serving.CacheNeeded} of KV cache, and {serving.CacheAvailable} are left for it.";
        return Cause(found, "vllm-cache-too-small", message, missing,
            [
                .. possible is > 0 ? [new Fix($"--max-model-len {possible.Value.ToString(CultureInfo.InvariantCulture)}, the longest that fits now", missing?.Bytes, "a shorter context", true)] : Array.Empty<Fix>(),
                new("--kv-cache-dtype fp8: twice the tokens", serving.CacheNeeded?.Bytes / 2, "a little quality", missing is { } need ? serving.CacheNeeded!.Value.Bytes / 2 >= need.Bytes : null),
                new("a higher --gpu-memory-utilization, if the GPU is otherwise empty", null, "less room for others"),
                .. Fixes.Serving().Skip(1),
            ]);
    }

    private static Finding Sampler(OutOfMemoryCase found) => Cause(found, "vllm-sampler",
        $"The sampler was tried with {found.Event.Serving?.Batch} sequences at once: their logits, sequences × vocabulary × 4 bytes and copies of that, did not fit beside the KV cache.",
        null,
        [
            new($"--max-num-seqs {Math.Max(1, (found.Event.Serving?.Batch ?? 256) / 4)}", null, "fewer requests at once"),
            new("a lower --gpu-memory-utilization: the sampler's memory lies outside that budget", null, "a smaller KV cache"),
        ]);

    private static Finding Sglang(OutOfMemoryCase found) => Cause(found, "sglang-startup",
        found.Event.Serving?.CacheTokens is { } tokens
            ? $"SGLang computed {tokens:N0} tokens for its pool: after the weights the static share of memory is exceeded."
            : "After the weights SGLang's static share of memory leaves nothing for its token pool.",
        null,
        [
            new(found.Event.Serving?.Utilization is { } now ? string.Create(CultureInfo.InvariantCulture, $"--mem-fraction-static above {now:0.##} (at the start it must be higher; lower it only if memory runs out while serving)") : "a higher --mem-fraction-static (at the start; lower it only if memory runs out while serving)", null, "less for activations"),
            new("quantized weights, or more GPUs (--tp)", null, "a little quality, or another GPU"),
        ]);

    private static Finding Tokens(OutOfMemoryCase found) => Cause(found, "sglang-tokens",
        found.Event.Serving is { Batch: { } wanted, CacheTokens: { } left }
            ? $"SGLang's token pool had {left:N0} tokens left and {wanted:N0} were needed: its KV cache is full, not the GPU."
            : "SGLang's pool of tokens or of requests is full, not the GPU.",
        null,
        [
            new("fewer requests at once (--max-running-requests), more careful admission (--schedule-conservativeness 1.3)", null, "throughput"),
            new("a larger pool: a higher --mem-fraction-static, --kv-cache-dtype fp8_e5m2", null, "less for activations, or a little quality"),
            new("smaller pieces of prompts (--chunked-prefill-size)", null, "slower prompts"),
        ]);

    private static Finding Tgi(OutOfMemoryCase found) => Cause(found, "tgi-prefill",
        $"TGI tried a prompt batch of {found.Event.Serving?.Batch:N0} tokens at start, and it did not fit beside the weights.",
        null,
        [
            new($"--max-batch-prefill-tokens {(found.Event.Serving?.Batch ?? 4096) / 2} (with --max-input-tokens at or below it)", null, "less throughput of prompts"),
            new("quantized weights (--quantize), or more shards (--num-shard)", null, "a little quality, or another GPU"),
        ]);

    private static Finding Cause(OutOfMemoryCase found, string check, string message, Amount? missing, Fix[] fixes) =>
        new(check, Severity.Cause, message, [found.Event.Quote], missing is { Bytes: > 0 } amount ? amount.Bytes : null, Certainty.High, [.. fixes]) { ShortageRounding = missing?.Rounding ?? 0 };
}
