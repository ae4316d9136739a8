using System.Runtime.InteropServices;

namespace Plimsoll.Testing.Peers;

/// <summary><c>llama_model_params</c> of llama.cpp v0.5.0, include/llama.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LlamaModelParams
{
    public void* Devices, BufferTypes;
    public int GpuLayers, SplitMode, LoadMode, LazyMode, MainGpu;
    public float* TensorSplit;
    public void* Progress, ProgressData, Overrides;
    public byte VocabularyOnly, CheckTensors, UseExtraBufferTypes, NoHost, NoAlloc, LoadMtp;
}

/// <summary><c>llama_context_params</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LlamaContextParams
{
    public uint Context, Batch, MicroBatch, MaxSequences, RecurrentSnapshots, MaxOutputs, MaxOutputsPerSequence;
    public int Threads, BatchThreads, Type, RopeScaling, Pooling, Attention, FlashAttention;
    public float RopeBase, RopeScale, YarnExtrapolation, YarnAttention, YarnBetaFast, YarnBetaSlow;
    public uint YarnContext;
    public float Defragmentation;
    public void* Evaluated, EvaluatedData;
    public int KeyType, ValueType;
    public void* Abort, AbortData;
    public byte Embeddings, OffloadKqv, NoPerformance, OffloadOperations, FullWindowCache, UnifiedCache;
    public void* Samplers;
    public nuint SamplerCount;
    public void* Other;
}

/// <summary><c>llama_model_quantize_params</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LlamaQuantizeParams
{
    public int Threads, FileType, OutputType, EmbeddingType;
    public byte AllowRequantize, QuantizeOutput, OnlyCopy, Pure, KeepSplit, DryRun;
    public LlamaImportance* Importance;
    public void* Overrides, TypeOverrides, Pruned;
    public nuint MaxBuffer;
}

/// <summary><c>llama_model_imatrix_data</c>; a list of them ends with a null name.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LlamaImportance
{
    public byte* Name;
    public float* Data;
    public nuint Size;
}

/// <summary><c>llama_batch</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LlamaBatch
{
    public int Count;
    public int* Tokens;
    public float* Embeddings;
    public int* Positions;
    public int* SequenceCounts;
    public int** Sequences;
    public sbyte* WantsLogits;
}
