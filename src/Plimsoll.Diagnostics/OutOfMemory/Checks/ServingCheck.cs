using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>Serving engines that refuse to start: which of their budgets was too small, and what value would do.</summary>
internal sealed class ServingCheck : IOutOfMemoryCheck
{
    /// <summary>Free memory varies by so much between two starts.</summary>
    private const double Slack = 0.3;

    public IEnumerable<Finding> Run(OutOfMemoryCase found) => found.Event.Family switch
    {
        "vllm-startup" => [Start(found)],
        "vllm-no-cache-blocks" => [NoBlocks(found)],
        "vllm-cache-too-small" => [SmallCache(found)],
        "vllm-sampler" => [Sampler(found)],
        "sglang-startup" or "sglang-pool" => [Sglang(found)],
        "tgi-prefill" => [Tgi(found)],
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
