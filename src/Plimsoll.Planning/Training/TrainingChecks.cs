using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Planning.Training;

/// <summary>Refuses runs that cannot exist, each with a sentence that names the conflict and a valid choice.</summary>
public static class TrainingChecks
{
    /// <exception cref="TrainingConflictException">The request contradicts itself or the model.</exception>
    public static void Check(TrainingRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        Positive(request.MicroBatch, "a micro-batch", "1");
        Positive(request.SequenceLength, "a sequence length", "2048");
        Positive(request.Accumulation, "gradient accumulation", "1");
        CheckMethod(request);
        CheckSplits(request);
        CheckSharding(request);
    }

    /// <summary>Refuses a number type that the GPU cannot compute with.</summary>
    /// <exception cref="TrainingConflictException">The GPU has no arithmetic of this type.</exception>
    public static void Check(TrainingRequest request, GpuSpec gpu)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(gpu);
        if (gpu.Vendor != "NVIDIA" || !double.TryParse(gpu.ComputeCapability, NumberStyles.Float, CultureInfo.InvariantCulture, out var capability))
            return;
        // CUDA C++ programming guide, arithmetic instructions: FP16 from 5.3, usable rate from 7.0 (6.1 has 1/64); BF16 from 8.0.
        if (request.Compute == ComputeType.Fp16 && (capability < 6 || capability == 6.1))
            throw new TrainingConflictException($"{gpu.Name} (compute capability {gpu.ComputeCapability}) has no usable FP16 arithmetic; choose --precision fp32 or a GPU of compute capability 7.0 or later");
        if (request.Compute == ComputeType.Bf16 && capability < 8)
            throw new TrainingConflictException($"{gpu.Name} (compute capability {gpu.ComputeCapability}) has no BF16 arithmetic; choose {(capability >= 7 ? "--precision fp16" : "--precision fp32")} or a GPU of compute capability 8.0 or later");
    }

    private static void CheckMethod(TrainingRequest request)
    {
        var quantized = request.Weights.Tensors.Any(tensor => tensor.Format.BitsPerWeight < 15);
        switch (request.Method)
        {
            case TrainingMethod.Full when request.Adapter is not null:
                throw new TrainingConflictException("full training has no adapters; choose lora or qlora, or leave the rank out");
            case TrainingMethod.Full when quantized:
                throw new TrainingConflictException($"weights in {request.Weights.Precision} cannot be trained; choose bf16, fp16 or fp32, or train adapters with qlora");
            case TrainingMethod.Lora or TrainingMethod.Qlora when request.Adapter is null:
                throw new TrainingConflictException("adapters need a rank; choose one such as 16");
            case TrainingMethod.Qlora when !quantized:
                throw new TrainingConflictException($"QLoRA trains adapters on quantized weights, {request.Weights.Precision} is not quantized; choose nf4 or nf4-dq, or lora");
        }
        if (request.Adapter is not { } adapter)
            return;
        if (adapter.Parameters is null)
            Positive(adapter.Rank, "a rank", "16");
        AdapterPlacement.Resolve(request.Model, adapter);
        if (request.Optimizer.OneLayer)
            throw new TrainingConflictException($"{request.Optimizer.Name} trains whole blocks of the model, not adapters; choose adamw or full training");
    }

    private static void CheckSplits(TrainingRequest request)
    {
        var (parallel, model) = (request.Parallel, request.Model);
        foreach (var (degree, name) in new[] { (parallel.Data, "dp"), (parallel.Tensor, "tp"), (parallel.Pipeline, "pp"), (parallel.Expert, "ep") })
            Positive(degree, name, "1");
        foreach (var attention in model.Layers.Select(layer => layer.Attention).OfType<AttentionShape>())
        {
            if (attention.Heads % parallel.Tensor != 0)
                throw new TrainingConflictException($"{attention.Heads} attention heads cannot be divided among tp={parallel.Tensor}; choose {Divisors(attention.Heads, parallel.Tensor)}");
            if (attention.Latent is null && attention.KeyValueHeads % parallel.Tensor != 0 && parallel.Tensor % attention.KeyValueHeads != 0)
                throw new TrainingConflictException($"{attention.KeyValueHeads} key-value heads cannot be divided among tp={parallel.Tensor}; choose {Divisors(attention.KeyValueHeads, parallel.Tensor)}");
        }
        if (parallel.Pipeline > model.Layers.Length)
            throw new TrainingConflictException($"{model.Layers.Length} layers cannot make pp={parallel.Pipeline} stages; choose at most pp={model.Layers.Length}");
        if (parallel.Sequence && parallel.Tensor == 1)
            throw new TrainingConflictException("sequence parallelism divides what tensor parallelism leaves whole; choose tp=2 or more, or leave sp out");
        CheckExperts(parallel, model);
    }

    private static void CheckExperts(TrainingParallelism parallel, ModelShape model)
    {
        if (parallel.Expert == 1)
            return;
        var experts = model.Layers.Select(layer => layer.FeedForward?.Experts?.Count ?? 0).Max();
        if (experts == 0)
            throw new TrainingConflictException($"{model.Id} has no experts to divide; choose ep=1");
        if (experts % parallel.Expert != 0)
            throw new TrainingConflictException($"{experts} experts cannot be divided among ep={parallel.Expert}; choose {Divisors(experts, parallel.Expert)}");
        if (checked(parallel.Data * parallel.Tensor) % parallel.Expert != 0)
            throw new TrainingConflictException($"ep={parallel.Expert} deals experts out among the {parallel.Data * parallel.Tensor} ranks of dp x tp; choose a divisor of that");
    }

    private static void CheckSharding(TrainingRequest request)
    {
        var parallel = request.Parallel;
        if (parallel.Sharding != Sharding.None && parallel.Data == 1)
            throw new TrainingConflictException($"ZeRO and FSDP divide among data-parallel devices and there is one; choose dp=2 or more (with --gpu 2x...), or leave zero out");
        if (parallel.ShardGroup is { } group && (group < 1 || parallel.Data % group != 0))
            throw new TrainingConflictException($"hybrid sharding in groups of {group} does not divide dp={parallel.Data}; choose {Divisors(parallel.Data, group)}");
        if (request.Offload.HasFlag(TrainingOffload.Weights) && parallel.Sharding != Sharding.Weights)
            throw new TrainingConflictException("only sharded weights can live in host memory; choose zero=3 or fsdp with the offload of parameters");
        if (request.StepsInBackward && request.Accumulation > 1)
            throw new TrainingConflictException($"an optimizer inside the backward pass frees each gradient at once, so accumulation over {request.Accumulation} micro-batches is impossible; choose --accumulate 1");
        if (request.StepsInBackward && parallel.Pipeline > 1)
            throw new TrainingConflictException($"an optimizer inside the backward pass cannot wait for the micro-batches of pp={parallel.Pipeline}; choose pp=1");
    }

    private static void Positive(long value, string what, string choice)
    {
        if (value < 1)
            throw new TrainingConflictException($"{what} of {value} trains nothing; choose {choice} or more");
    }

    private static string Divisors(int number, int near)
    {
        var divisors = Enumerable.Range(1, number).Where(candidate => number % candidate == 0).ToList();
        var below = divisors.Last(candidate => candidate <= Math.Max(1, near));
        var above = divisors.FirstOrDefault(candidate => candidate > near);
        return above == 0 ? $"{below}" : $"{below} or {above}";
    }
}
