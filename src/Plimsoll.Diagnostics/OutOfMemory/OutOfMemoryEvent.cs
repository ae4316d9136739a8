namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>One message about memory in a log.</summary>
public sealed record OutOfMemoryEvent
{
    /// <summary>The grammar that read it, in kebab case: <c>pytorch</c>, <c>vllm-cache-too-small</c>.</summary>
    public required string Family { get; init; }

    /// <summary>The program that wrote it, as users call it.</summary>
    public required string Program { get; init; }

    public MemoryKind Kind { get; init; }

    /// <summary>CUDA, HIP, XPU, MPS, NPU, Vulkan …; null when the message does not tell.</summary>
    public string? Backend { get; init; }

    /// <summary>The device as the process numbers it, which need not be nvidia-smi's number.</summary>
    public int? Device { get; init; }

    public int? Rank { get; init; }

    /// <summary>The line of the log, from 1.</summary>
    public required int Line { get; init; }

    /// <summary>Where the message begins in <see cref="LogText.Flat"/>.</summary>
    public required int Position { get; init; }

    /// <summary>The message in one line.</summary>
    public required string Quote { get; init; }

    public Ledger Ledger { get; init; } = new();

    /// <summary>NVML had no number and the message prints 2^64 − 1 in its place.</summary>
    public bool HasUnavailableNumbers { get; init; }

    /// <summary>The message itself advises against fragmentation.</summary>
    public bool HasFragmentationHint { get; init; }

    /// <summary>What serving engines state: budgets, contexts, cache sizes.</summary>
    public ServingFacts? Serving { get; init; }

    /// <summary>The name of the buffer or tensor that failed: <c>compute</c>, <c>KV cache</c>, <c>shape[4,2048,128,128] float</c>.</summary>
    public string? What { get; init; }

    /// <summary>The program went on by itself.</summary>
    public bool Recovered { get; init; }
}

/// <summary>What a serving engine says when its start fails.</summary>
public sealed record ServingFacts
{
    /// <summary>The share of the device that the engine may use: vLLM's gpu_memory_utilization.</summary>
    public double? Utilization { get; init; }

    /// <summary>What that share comes to.</summary>
    public Amount? Desired { get; init; }

    public Amount? CacheNeeded { get; init; }

    public Amount? CacheAvailable { get; init; }

    public long? ModelLength { get; init; }

    /// <summary>The longest context that would fit, where the engine computed it.</summary>
    public long? PossibleLength { get; init; }

    /// <summary>Tokens that the cache can hold.</summary>
    public long? CacheTokens { get; init; }

    /// <summary>Requests, or tokens of a prompt, that were tried at once.</summary>
    public long? Batch { get; init; }
}
