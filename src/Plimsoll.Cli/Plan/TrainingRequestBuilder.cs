using System.CommandLine;
using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Training;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Cli.Plan;

/// <summary>From options to a training request; every value that makes no sense is named with the next step.</summary>
internal static class TrainingRequestBuilder
{
    private const long DefaultSequence = 2048;
    private const int DefaultRank = 16;

    private static readonly string[] ComputeNames = ["bf16", "fp16", "fp32"];

    /// <param name="kind"><c>training</c>, <c>lora</c> or <c>qlora</c>.</param>
    public static TrainingRequest Build(ParseResult parsed, string kind, LocatedModel located, GpuSelection? device)
    {
        if (TrainingOptions.Foreign.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } foreign)
            throw CliException.WrongUsage($"{foreign.Name} is an option of inference; this plan is for {kind}", $"leave {foreign.Name} out, or plan with --for inference");
        var method = kind switch { "lora" => TrainingMethod.Lora, "qlora" => TrainingMethod.Qlora, _ => TrainingMethod.Full };
        var compute = Compute(parsed, method, located, device);
        var trainer = Trainer(parsed.GetValue(TrainingOptions.Trainer));
        var request = new TrainingRequest
        {
            Model = located.Shape,
            Method = method,
            Weights = Weights(parsed.GetValue(PlanOptions.Precision), method, compute, located),
            Compute = compute,
            MasterWeights = Choice(parsed, TrainingOptions.MasterWeights, "fp32", "none") != "none",
            Optimizer = Optimizer(parsed.GetValue(TrainingOptions.Optimizer) ?? "adamw"),
            Trainer = trainer,
            SequenceLength = parsed.GetValue(PlanOptions.Context) ?? Math.Min(DefaultSequence, located.Shape.MaxContext ?? DefaultSequence),
            MicroBatch = parsed.GetValue(TrainingOptions.MicroBatch) ?? parsed.GetValue(PlanOptions.Batch) ?? 1,
            Accumulation = parsed.GetValue(TrainingOptions.Accumulate) ?? 1,
            Checkpointing = Enum.Parse<Checkpointing>(Choice(parsed, TrainingOptions.Checkpointing, "none", "selective", "full"), ignoreCase: true),
            Loss = Enum.Parse<LossKind>(Choice(parsed, TrainingOptions.Loss, "plain", "chunked", "fused"), ignoreCase: true),
            FlashAttention = !parsed.GetValue(PlanOptions.Eager),
            Compiled = parsed.GetValue(TrainingOptions.Compile),
            OptimizerInBackward = parsed.GetValue(TrainingOptions.InBackward),
            Offload = Offload(parsed.GetValue(TrainingOptions.Offload)),
            Adapter = Adapter(parsed, method),
            Parallel = TrainingSplit.Parse(parsed.GetValue(PlanOptions.Parallel), device?.Count ?? 1),
        };
        try
        {
            TrainingChecks.Check(request);
            if (device is not null)
                TrainingChecks.Check(request, device.Gpu);
            return request;
        }
        catch (TrainingConflictException conflict)
        {
            throw CliException.WrongUsage(conflict.Message);
        }
    }

    /// <summary>The precision that was asked for; otherwise BF16, or FP16 on GPUs before it.</summary>
    private static ComputeType Compute(ParseResult parsed, TrainingMethod method, LocatedModel located, GpuSelection? device)
    {
        var name = parsed.GetValue(PlanOptions.Precision) is { } asked ? PrecisionScheme.Find(asked)?.Name : null;
        if (name is not null && ComputeNames.Contains(name))
            return Enum.Parse<ComputeType>(name, ignoreCase: true);
        if (method == TrainingMethod.Full && parsed.GetValue(PlanOptions.Precision) is { } other)
            throw CliException.WrongUsage($"full training computes in bf16, fp16 or fp32, not in '{other}'", "choose one of these, or train adapters on quantized weights: --for qlora");
        return device is not null && double.TryParse(device.Gpu.ComputeCapability, NumberStyles.Float, CultureInfo.InvariantCulture, out var capability) && capability is >= 6 and < 8
            ? ComputeType.Fp16
            : ComputeType.Bf16;
    }

    private static WeightSet Weights(string? precision, TrainingMethod method, ComputeType compute, LocatedModel located)
    {
        if (method != TrainingMethod.Qlora)
            return PlanRequestBuilder.Weights(precision ?? ComputeNames[(int)compute], located);
        var weights = PlanRequestBuilder.Weights(precision ?? (located.Checkpoint is null ? "nf4" : null), located);
        // A checkpoint in 16 bits is quantized while it is loaded.
        return precision is null && weights.Tensors.All(tensor => tensor.Format.BitsPerWeight > 15) ? PlanRequestBuilder.Weights("nf4", located) : weights;
    }

    private static EngineProfile Trainer(string? name) => name is null
        ? TrainerCatalog.Default
        : TrainerCatalog.Find(name) ?? throw CliException.WrongUsage($"unknown trainer '{name}'", $"known trainers: {string.Join(", ", TrainerCatalog.Names)}");

    private static OptimizerSpec Optimizer(string name) => OptimizerCatalog.Find(name) ?? throw CliException.WrongUsage(
        $"unknown optimizer '{name}'", $"known optimizers: {string.Join(", ", OptimizerCatalog.All.Select(optimizer => optimizer.Id))}");

    private static AdapterSettings? Adapter(ParseResult parsed, TrainingMethod method)
    {
        Option[] options = [TrainingOptions.Rank, TrainingOptions.Targets, TrainingOptions.Dora, TrainingOptions.AdapterPrecision];
        if (method == TrainingMethod.Full)
        {
            return options.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } foreign
                ? throw CliException.WrongUsage($"{foreign.Name} describes adapters; full training has none", "plan with --for lora or --for qlora")
                : null;
        }
        var targets = parsed.GetValue(TrainingOptions.Targets)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? ["default"];
        return new(parsed.GetValue(TrainingOptions.Rank) ?? DefaultRank, targets)
        {
            Dora = parsed.GetValue(TrainingOptions.Dora),
            Type = parsed.GetValue(TrainingOptions.AdapterPrecision) is null ? null : Enum.Parse<ComputeType>(Choice(parsed, TrainingOptions.AdapterPrecision, "fp32", "bf16", "fp16"), ignoreCase: true),
        };
    }

    private static TrainingOffload Offload(string? text)
    {
        var result = TrainingOffload.None;
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            result |= part.ToLowerInvariant() switch
            {
                "none" => TrainingOffload.None,
                "optimizer" => TrainingOffload.Optimizer,
                "params" or "weights" => TrainingOffload.Weights,
                "activations" => TrainingOffload.Activations,
                _ => throw CliException.WrongUsage($"--offload takes optimizer, params, activations or none, not '{part}'"),
            };
        }
        return result;
    }

    /// <summary>One of the words of an option, the first when it is left out.</summary>
    private static string Choice(ParseResult parsed, Option<string?> option, params string[] words)
    {
        var text = parsed.GetValue(option)?.Trim().ToLowerInvariant() ?? words[0];
        return words.Contains(text) ? text : throw CliException.WrongUsage($"{option.Name} takes {string.Join(", ", words[..^1])} or {words[^1]}, not '{text}'");
    }
}
