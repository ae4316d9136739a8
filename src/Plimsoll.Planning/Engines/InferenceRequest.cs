using Plimsoll.Models;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Engines;

/// <summary>Everything that decides the memory of an inference run.</summary>
public sealed record InferenceRequest
{
    public required ModelShape Model { get; init; }

    public required WeightSet Weights { get; init; }

    public required EngineProfile Engine { get; init; }

    /// <summary>Tokens of one sequence, prompt and answer together.</summary>
    public required long Context { get; init; }

    /// <summary>Tokens of the prompt that are processed at once; null for the worst case, the whole context.</summary>
    public long? Prompt { get; init; }

    /// <summary>Sequences that run at the same time.</summary>
    public int Batch { get; init; } = 1;

    public KvFormat KvFormat { get; init; } = KvFormat.Fp16;

    /// <summary>Attention without materialized scores (FlashAttention, SDPA); false for eager attention.</summary>
    public bool FlashAttention { get; init; } = true;

    public Parallelism Parallel { get; init; } = Parallelism.One;

    /// <summary>Usable memory of one device; null when no device was named. vLLM sizes its pool by it.</summary>
    public long? DeviceBytes { get; init; }

    public LlamaCppOptions LlamaCpp { get; init; } = new();

    public VllmOptions Vllm { get; init; } = new();

    public long PromptTokens => Math.Min(Prompt ?? Context, Context);
}

/// <summary>How a model is divided over devices.</summary>
/// <param name="Tensor">Tensor-parallel degree: every layer is divided.</param>
/// <param name="Pipeline">Pipeline degree: layers are dealt out in contiguous stages (also <c>device_map</c> and llama.cpp's layer split).</param>
/// <param name="Expert">Expert-parallel degree: the routed experts are dealt out.</param>
public sealed record Parallelism(int Tensor, int Pipeline, int Expert)
{
    public static Parallelism One { get; } = new(1, 1, 1);

    /// <summary>How an engine divides a model over GPUs when nobody says: vLLM by matrices where the heads can be divided, everything else by layers.</summary>
    public static Parallelism Default(string engine, ModelShape model, int count)
    {
        // Tensor parallelism stays inside a machine.
        var tensor = Math.Min(count, 8);
        return engine == "vllm" && DividesHeads(model, tensor) ? new(tensor, Math.Max(1, count / tensor), 1) : new(1, count, 1);
    }

    /// <summary>Every rank gets a whole number of query heads.</summary>
    public static bool DividesHeads(ModelShape model, int tensor) => model.Layers.All(layer => (layer.Attention?.Heads ?? 0) % tensor == 0);

    /// <summary>Devices in all. Expert parallelism reuses the tensor-parallel ranks when there are enough of them.</summary>
    public int Devices => Math.Max(Tensor, Expert) * Pipeline;
}

/// <summary>Settings of llama.cpp that change memory; the defaults are llama-server's.</summary>
public sealed record LlamaCppOptions
{
    /// <summary>Tokens computed at once (<c>-ub</c>).</summary>
    public int MicroBatch { get; init; } = 512;

    /// <summary>Layers on the GPU (<c>-ngl</c>), the output layer counted as one; null for all.</summary>
    public int? GpuLayers { get; init; }

    /// <summary>Layers whose experts stay in RAM (<c>--n-cpu-moe</c>).</summary>
    public int CpuExpertLayers { get; init; }

    /// <summary>One cache shared by all slots (<c>--kv-unified</c>), as llama-server does without <c>--parallel</c>.</summary>
    public bool UnifiedKv { get; init; } = true;

    /// <summary>Keeps the whole context in sliding-window layers (<c>--swa-full</c>).</summary>
    public bool FullWindowCache { get; init; }

    /// <summary>Server slots; recurrent states exist once per slot.</summary>
    public int Slots { get; init; } = 1;

    /// <summary>Depth of speculative drafting; recurrent states are kept once more per step for rollback.</summary>
    public int DraftDepth { get; init; }

    /// <summary>The cache layout of latent attention; null for the engine's default.</summary>
    public LatentCacheLayout? LatentLayout { get; init; }

    /// <summary>Fractions of the layers per GPU (<c>--tensor-split</c>); empty for even shares.</summary>
    public IReadOnlyList<double> TensorSplit { get; init; } = [];
}

/// <summary>Settings of vLLM that change memory; null where the engine's default holds.</summary>
public sealed record VllmOptions
{
    /// <summary>The fraction of the whole card that vLLM may use (<c>--gpu-memory-utilization</c>).</summary>
    public double? Utilization { get; init; }

    /// <summary>Tokens of one forward pass (<c>--max-num-batched-tokens</c>).</summary>
    public int? MaxBatchedTokens { get; init; }

    /// <summary>Sequences of one forward pass (<c>--max-num-seqs</c>).</summary>
    public int? MaxSequences { get; init; }

    /// <summary>No CUDA graphs (<c>--enforce-eager</c>).</summary>
    public bool EnforceEager { get; init; }
}
