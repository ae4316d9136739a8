using Plimsoll.Models;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Training;

/// <summary>What is trained.</summary>
public enum TrainingMethod
{
    /// <summary>Every parameter.</summary>
    Full,

    /// <summary>Low-rank adapters beside frozen weights in 16 or 32 bits.</summary>
    Lora,

    /// <summary>Low-rank adapters beside frozen quantized weights.</summary>
    Qlora,
}

/// <summary>The type in which the network computes.</summary>
public enum ComputeType
{
    Bf16,
    Fp16,
    Fp32,
}

/// <summary>Which activations are thrown away in the forward pass and computed again in the backward pass.</summary>
public enum Checkpointing
{
    None,

    /// <summary>Every second layer keeps only its input, and eager attention scores are never kept.</summary>
    Selective,

    /// <summary>Every layer keeps only its input.</summary>
    Full,
}

/// <summary>How the loss over the vocabulary is computed.</summary>
public enum LossKind
{
    /// <summary>All logits at once, with FP32 copies.</summary>
    Plain,

    /// <summary>16-bit logits of every token, FP32 copies of one eighth at a time.</summary>
    Chunked,

    /// <summary>Logits are never stored: a fused linear and cross-entropy kernel (Liger, cut cross-entropy).</summary>
    Fused,
}

/// <summary>What data-parallel ranks divide among themselves; each stage includes the one before.</summary>
public enum Sharding
{
    /// <summary>Nothing: every rank holds everything (DDP).</summary>
    None,

    /// <summary>ZeRO 1: the optimizer's states.</summary>
    OptimizerStates,

    /// <summary>ZeRO 2: gradients as well.</summary>
    Gradients,

    /// <summary>ZeRO 3, FSDP full sharding: weights as well.</summary>
    Weights,
}

/// <summary>What lives in the host's memory instead of the GPU's.</summary>
[Flags]
public enum TrainingOffload
{
    None = 0,

    /// <summary>Optimizer states, master weights and gradients.</summary>
    Optimizer = 1,

    /// <summary>The shards of the weights; needs <see cref="Sharding.Weights"/>.</summary>
    Weights = 2,

    /// <summary>Saved activations.</summary>
    Activations = 4,
}

/// <summary>How training is divided over devices.</summary>
/// <param name="Data">Data-parallel degree: ranks that see different samples.</param>
/// <param name="Tensor">Every matrix is divided.</param>
/// <param name="Pipeline">Layers are dealt out in stages.</param>
/// <param name="Expert">Routed experts are dealt out among data- or tensor-parallel ranks.</param>
public sealed record TrainingParallelism(int Data = 1, int Tensor = 1, int Pipeline = 1, int Expert = 1)
{
    public static TrainingParallelism One { get; } = new();

    /// <summary>The parts of a layer that tensor parallelism leaves whole are divided along the sequence.</summary>
    public bool Sequence { get; init; }

    public Sharding Sharding { get; init; }

    /// <summary>Ranks among which a model is sharded (hybrid sharding); null for all data-parallel ranks.</summary>
    public int? ShardGroup { get; init; }

    public int Devices => checked(Data * Tensor * Pipeline);

    /// <summary>Ranks that share what the sharding divides.</summary>
    public int Shards => ShardGroup ?? Data;
}

/// <summary>What an adapter keeps for its backward pass.</summary>
public enum AdapterKeeps
{
    /// <summary>The input of its target: low-rank products.</summary>
    Input,

    /// <summary>The output of its target: learned scales (IA3, LitGPT's adapter v2).</summary>
    Output,
}

/// <summary>Low-rank adapters.</summary>
/// <param name="Rank">Columns of A and rows of B.</param>
/// <param name="Targets">Module names such as <c>q_proj</c>, or a preset: <c>default</c>, <c>attention</c>, <c>all-linear</c>, <c>experts</c>.</param>
public sealed record AdapterSettings(int Rank, params IReadOnlyList<string> Targets)
{
    /// <summary>A magnitude vector per target (DoRA).</summary>
    public bool Dora { get; init; }

    /// <summary>The type of the adapters; null for what the framework does (PEFT: FP32).</summary>
    public ComputeType? Type { get; init; }

    public AdapterKeeps Keeps { get; init; }

    /// <summary>The trainable parameters where another kind of adapter than LoRA is placed on the targets; null for the count of LoRA.</summary>
    public long? Parameters { get; init; }
}

/// <summary>Everything that decides the memory of a training run.</summary>
public sealed record TrainingRequest
{
    public required ModelShape Model { get; init; }

    public required TrainingMethod Method { get; init; }

    /// <summary>The frozen base of adapters; for full training the weights in the compute type.</summary>
    public required WeightSet Weights { get; init; }

    public required OptimizerSpec Optimizer { get; init; }

    public required EngineProfile Trainer { get; init; }

    public ComputeType Compute { get; init; } = ComputeType.Bf16;

    /// <summary>FP32 copies of 16-bit weights that the optimizer updates; without effect for FP32 and for adapters.</summary>
    public bool MasterWeights { get; init; } = true;

    /// <summary>Quantization-aware training: FP32 copies are updated and the weights are rounded from them, in every compute type.</summary>
    public bool RoundsWeights { get; init; }

    /// <summary>The loss is the divergence from another model of the same shape, which is held beside the trained one.</summary>
    public bool Distills { get; init; }

    /// <summary>Bytes of one gradient element; null for the type of the trained parameters. Megatron keeps FP32 gradients.</summary>
    public int? GradientBytes { get; init; }

    /// <summary>Tokens of the longest sample: it decides, not the mean.</summary>
    public required long SequenceLength { get; init; }

    public int MicroBatch { get; init; } = 1;

    /// <summary>Micro-batches per optimizer step. Above 1 gradients stay alive during the forward pass.</summary>
    public int Accumulation { get; init; } = 1;

    public Checkpointing Checkpointing { get; init; }

    public bool FlashAttention { get; init; } = true;

    /// <summary>The layers are compiled: norms and activation functions are fused and computed again.</summary>
    public bool Compiled { get; init; }

    public LossKind Loss { get; init; }

    /// <summary>Each gradient is used and freed as soon as it exists.</summary>
    public bool OptimizerInBackward { get; init; }

    public TrainingOffload Offload { get; init; }

    /// <summary>Required for LoRA and QLoRA.</summary>
    public AdapterSettings? Adapter { get; init; }

    public TrainingParallelism Parallel { get; init; } = TrainingParallelism.One;

    public int ComputeBytes => Compute == ComputeType.Fp32 ? 4 : 2;

    /// <summary>Tokens of one micro-batch on one data-parallel rank.</summary>
    public long Tokens => checked(SequenceLength * MicroBatch);

    internal bool StepsInBackward => OptimizerInBackward || Optimizer.InBackward;
}

/// <summary>A training run that cannot exist as it was asked for; the message names the conflict and a valid choice.</summary>
public sealed class TrainingConflictException(string message) : Exception(message);
