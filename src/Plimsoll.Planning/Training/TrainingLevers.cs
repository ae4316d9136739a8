using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Training;

/// <summary>The levers of a training run, each with its cost; those that contradict the request return null.</summary>
public static class TrainingLevers
{
    /// <summary>The usual rank of adapters where full training does not fit.</summary>
    private const int Rank = 16;

    public static IReadOnlyList<Lever<TrainingRequest>> For(TrainingRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return [.. Free(), .. Recompute(), .. Optimizers(request), .. Offloads(), .. Methods(request), .. Devices()];
    }

    /// <summary>Whether a request fits; a combination that contradicts itself does not.</summary>
    public static bool Fits(TrainingRequest request, long usableBytes)
    {
        try
        {
            return TrainingLimits.Fits(request, usableBytes);
        }
        catch (TrainingConflictException)
        {
            return false;
        }
    }

    private static IEnumerable<Lever<TrainingRequest>> Free()
    {
        yield return new("use flash attention (drop --no-flash-attention)", "none: faster as well", 0, run => run.FlashAttention ? null : run with { FlashAttention = true }, "attention");
        yield return new("--loss fused", "a kernel that supports the model (Liger, cut cross-entropy); as fast", 1, run => run.Loss == LossKind.Fused ? null : run with { Loss = LossKind.Fused }, "loss");
        yield return new("--loss chunked", "a few percent of time", 1, run => run.Loss != LossKind.Plain ? null : run with { Loss = LossKind.Chunked }, "loss");
        yield return new("--compile", "a minute of compilation", 2, run => run.Compiled ? null : run with { Compiled = true }, "compile");
    }

    private static IEnumerable<Lever<TrainingRequest>> Recompute()
    {
        yield return new("--checkpointing selective", "about 15 % more time", 2, run => run.Checkpointing != Checkpointing.None ? null : run with { Checkpointing = Checkpointing.Selective }, "checkpointing");
        yield return new("--checkpointing full", "about 30 % more time: every layer runs forward twice", 3, run => run.Checkpointing == Checkpointing.Full ? null : run with { Checkpointing = Checkpointing.Full }, "checkpointing");
        yield return new("--micro-batch 1 with accumulation", "the same result, a less busy GPU", 2,
            run => run.MicroBatch == 1 || run.StepsInBackward ? null : run with { MicroBatch = 1, Accumulation = checked(run.Accumulation * run.MicroBatch) }, "micro-batch")
        {
            Describe = run => FormattableString.Invariant($"--micro-batch 1 --accumulate {(long)run.Accumulation * run.MicroBatch}"),
        };
    }

    private static IEnumerable<Lever<TrainingRequest>> Optimizers(TrainingRequest request)
    {
        foreach (var (id, cost, pain) in new[]
        {
            ("adamw-8bit", "no measurable loss in most published runs", 3),
            ("paged-adamw-8bit", "slower when states move to the host", 5),
            ("adamw-4bit", "small loss in some runs", 6),
            ("adafactor", "other learning-rate schedule", 7),
        })
        {
            var optimizer = OptimizerCatalog.Find(id)!;
            if (request.Optimizer.Id.StartsWith("adamw", StringComparison.Ordinal) && request.Optimizer.Id != id)
                yield return new($"--optimizer {id}", cost, pain, run => run with { Optimizer = optimizer }, "optimizer");
        }
        yield return new("--optimizer-in-backward", "no accumulation and no clipping by the global norm", 5,
            run => run.StepsInBackward || run.Accumulation > 1 || run.Parallel.Pipeline > 1 || run.Method != TrainingMethod.Full ? null : run with { OptimizerInBackward = true }, "backward");
        yield return new("--master-weights none", "small updates are lost without stochastic rounding", 7,
            run => run is { MasterWeights: true, Method: TrainingMethod.Full } && run.Compute != ComputeType.Fp32 ? run with { MasterWeights = false } : null, "master");
    }

    private static IEnumerable<Lever<TrainingRequest>> Offloads()
    {
        yield return new("--offload activations", "10 to 30 % more time on PCIe", 5, run => run.Offload.HasFlag(TrainingOffload.Activations) ? null : run with { Offload = run.Offload | TrainingOffload.Activations }, "activations");
        yield return new("--offload optimizer", "the step runs on the CPU: up to twice the time, and that much RAM", 8, run => run.Offload.HasFlag(TrainingOffload.Optimizer) ? null : run with { Offload = run.Offload | TrainingOffload.Optimizer }, "states");
    }

    private static IEnumerable<Lever<TrainingRequest>> Methods(TrainingRequest request)
    {
        if (request.Optimizer.OneLayer)
            yield break;
        var adapter = new AdapterSettings(Rank, "all-linear");
        yield return new("--for lora --rank 16 --lora-targets all-linear", "learns less than full training on large data", 9,
            run => run.Method != TrainingMethod.Full ? null : run with { Method = TrainingMethod.Lora, Adapter = adapter, OptimizerInBackward = false }, "method");
        var quantized = PrecisionScheme.Find("nf4-dq")!.Apply(request.Model);
        if (quantized.Tensors.Any(tensor => tensor.Format.BitsPerWeight < 15))
        {
            yield return new("--for qlora --precision nf4-dq", "about 30 % slower than LoRA, a small quality loss", 11,
                run => run.Weights.Total <= quantized.Total ? null : run with { Method = TrainingMethod.Qlora, Weights = quantized, Adapter = run.Adapter ?? adapter, OptimizerInBackward = false }, "method");
        }
    }

    private static IEnumerable<Lever<TrainingRequest>> Devices()
    {
        foreach (var (factor, pain) in new[] { (2, 14), (4, 18), (8, 22) })
        {
            yield return new($"{factor} times the GPUs, fully sharded", "the price of the GPUs; traffic between them", pain,
                run => run.Parallel.ShardGroup is not null ? null : run with { Parallel = run.Parallel with { Data = checked(run.Parallel.Data * factor), Sharding = Sharding.Weights } }, "devices");
        }
    }
}
