using System.Collections.Immutable;
using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.OutOfMemory.Checks;

/// <summary>llama.cpp and ollama: one buffer did not fit, and each kind of buffer has its own options.</summary>
internal sealed class GgmlCheck : IOutOfMemoryCheck
{
    public ImmutableArray<Rule> Rules =>
    [
        new("buffer-too-large", "llama.cpp could not allocate a buffer", "the line of the backend or of ggml; which buffer, from the lines around it", "ggml-alloc.c, ggml-cuda.cu, ggml-vulkan, llama-context.cpp"),
        new("buffer-retried", "the same, and it went on", "retrying without pipeline parallelism; pinned memory", "llama-context.cpp"),
    ];

    public IEnumerable<Finding> Run(OutOfMemoryCase found)
    {
        if (found.Event is not { Family: "llama.cpp" } failed)
            yield break;
        var where = failed.Kind == MemoryKind.Host ? "host memory" : failed.Device is { } device ? $"device {device}" : "the device";
        var what = (failed.Ledger.Requested, failed.What) switch
        {
            ({ } size, { } name) => $"The {name} buffer of {size}",
            ({ } size, null) => $"A buffer of {size}",
            (null, { } name) => $"The {name} buffer",
            _ => "A buffer",
        };
        yield return new(failed.Recovered ? "buffer-retried" : "buffer-too-large", failed.Recovered ? Severity.Note : Severity.Cause,
            $"{what} did not fit into {where}{(failed.Recovered ? "; llama.cpp went on without pipeline parallelism, which needs fewer copies of it" : "")}.",
            [failed.Quote], null, failed.What is null ? Certainty.Medium : Certainty.High, [.. Remedies(failed)]);
    }

    private static IEnumerable<Fix> Remedies(OutOfMemoryEvent failed)
    {
        var size = failed.Ledger.Requested?.Bytes;
        switch (failed.What)
        {
            case "KV cache":
                yield return new("-ctk q8_0 -ctv q8_0 with flash attention (-fa on): the cache at 8.5 bits instead of 16", size * 15 / 32, "a little quality at long contexts");
                yield return new($"a shorter context (-c): the cache is proportional to it{(size is { } bytes ? $"; half the context frees {new ByteSize(bytes / 2)}" : "")}", size / 2, "shorter conversations");
                yield return new("fewer parallel slots (-np 1)", null, "fewer users at once");
                break;
            case "compute":
                yield return new("a smaller micro-batch (-ub 128 instead of 512): the compute buffer is nearly proportional to it", size * 3 / 4, "slower prompts");
                yield return new("flash attention (-fa on), where it is off", null, "none");
                yield return new("with several GPUs: a build with GGML_SCHED_MAX_COPIES=1, without the copies of pipeline parallelism", null, "slower prompts");
                break;
            default:
                yield return new("fewer layers on the GPU (-ngl), or the experts in host memory (--n-cpu-moe)", null, "slower: the CPU computes the rest");
                yield return new("a smaller quantization (plimsoll fit MODEL --gpu GPU chooses)", null, "quality");
                yield return new("a shorter context (-c), a smaller micro-batch (-ub)", null, "shorter conversations, slower prompts");
                break;
        }
        if (failed.Kind == MemoryKind.Host)
            yield return new("keep the file mapped (no --no-mmap, no --mlock), or a machine with more memory", null, "slower where pages are read again");
        else
            yield return new("plimsoll plan MODEL.gguf --gpu GPU --context N tells beforehand what fits", null, "none");
    }
}
