using System.Text.Json;
using Plimsoll.Models;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Accuracy;

/// <summary>torchtune recipes, and torchao's optimizers measured with them.</summary>
/// <remarks>Recipe defaults are those of the shipped configurations: activation checkpointing on, rank 8 on query and value (rank 16 on all of attention in the 70B and 405B ones).</remarks>
internal static class TrainingTorchTuneCases
{
    public static TrainingRequest Request(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var model = MemoryCases.Model(measured, findModel);
        var method = (measured.Setting("method") ?? "").ToLowerInvariant();
        if (measured.Framework.Contains("torchao", StringComparison.Ordinal))
            return Torchao(measured, model);
        if (method.StartsWith("generate", StringComparison.Ordinal))
            throw new CaseRefusedException("generation, not training, was measured");
        if (measured.Setting("phase") is { } phase && phase.Contains("init (reserved)", StringComparison.Ordinal))
            throw new CaseRefusedException("what the allocator holds behind quantizing a model is not planned");
        var batch = (int)TrainingCases.Required(measured, "batch", "the batch");
        return method.Contains("cumulative", StringComparison.Ordinal) ? Ladder(measured, model, method, batch) : Recipe(measured, model, method, batch);
    }

    /// <summary>The published ladder on Llama 3.2 3B: each rung adds a lever to those before it.</summary>
    private static TrainingRequest Ladder(MeasuredCase measured, ModelShape model, string method, int batch)
    {
        var list = measured.SettingElement("cumulative");
        var levers = list.ValueKind == JsonValueKind.Array ? string.Join(' ', list.EnumerateArray().Select(item => item.GetString())) : "";
        var adapters = method.StartsWith("lora", StringComparison.Ordinal) || method.StartsWith("qlora", StringComparison.Ordinal);
        if (levers == "baseline")
            throw new CaseRefusedException("samples are not packed and their length is not stated");
        // The adapter rungs have every lever but the two that adapters cannot have.
        bool Has(string lever) => adapters || levers.Contains(lever, StringComparison.Ordinal);
        return Base(model, method, batch, TrainingCases.Required(measured, "seq", "the sequence length")) with
        {
            Compiled = Has("torch.compile"),
            Loss = Has("chunked cross entropy") ? LossKind.Chunked : LossKind.Plain,
            Checkpointing = Has("activation checkpointing") ? Checkpointing.Full : Checkpointing.None,
            OptimizerInBackward = !adapters && Has("optimizer in backward"),
            Offload = Has("activation offloading") ? TrainingOffload.Activations : TrainingOffload.None,
            Optimizer = TrainingCases.Optimizer(!adapters && Has("8-bit") ? "adamw-8bit" : "adamw-bf16"),
        };
    }

    private static TrainingRequest Recipe(MeasuredCase measured, ModelShape model, string method, int batch)
    {
        var sequence = measured.IntegerSetting("packed_seq") ?? (measured.Setting("config") is null ? throw new CaseRefusedException("the sequence length is not stated") : TrainingCases.AlpacaLongest);
        var gpus = measured.Setting("gpu") is { } gpu && gpu.Split('x') is [var count, _] && int.TryParse(count, out var number) ? number : 1;
        var memoryOptimised = measured.Setting("notes")?.Contains("memory-optimised", StringComparison.Ordinal) == true;
        if (method == "full" && !memoryOptimised)
            throw new CaseRefusedException("the optimizer of the recipe is not stated");
        var request = Base(model, method, batch, sequence) with
        {
            Compiled = measured.Switch("compile") == true,
            Checkpointing = Checkpointing.Full,
            Loss = measured.Switch("compile") == true ? LossKind.Chunked : LossKind.Plain,
            Parallel = new(gpus) { Sharding = gpus > 1 ? Sharding.Weights : Sharding.None },
        };
        if (memoryOptimised)
            return request with { Optimizer = TrainingCases.Optimizer("paged-adamw-8bit"), OptimizerInBackward = true };
        return measured.IntegerSetting("lora_rank") is { } rank ? request with { Adapter = new((int)rank, "default") }
            : gpus > 1 ? request with { Adapter = new(16, "attention") }
            : request;
    }

    /// <summary>full_finetune_single_device on Alpaca: batch 2, checkpointing on, gradients accumulated.</summary>
    private static TrainingRequest Torchao(MeasuredCase measured, ModelShape model)
    {
        var name = (measured.Setting("optimizer") ?? "").ToLowerInvariant();
        var optimizer = name.Contains("8-bit", StringComparison.Ordinal) ? "adamw-8bit"
            : name.Contains("4-bit", StringComparison.Ordinal) ? "adamw-4bit"
            : name.Contains("fp8", StringComparison.Ordinal) ? "adamw-fp8"
            : name.Contains("fused", StringComparison.Ordinal) ? "adamw-bf16"
            : throw new CaseRefusedException($"the optimizer '{name}' moves states in ways that are not stated");
        return Base(model, "full", 2, TrainingCases.AlpacaLongest) with
        {
            Checkpointing = Checkpointing.Full,
            Optimizer = TrainingCases.Optimizer(optimizer),
            Accumulation = 2,
        };
    }

    private static TrainingRequest Base(ModelShape model, string method, int batch, long sequence)
    {
        var training = method.StartsWith("qlora", StringComparison.Ordinal) ? TrainingMethod.Qlora
            : method.StartsWith("lora", StringComparison.Ordinal) ? TrainingMethod.Lora
            : method.StartsWith("full", StringComparison.Ordinal) ? TrainingMethod.Full
            : throw new CaseRefusedException($"the method '{method}' is not planned");
        return new()
        {
            Model = model,
            Method = training,
            // torchtune quantizes with torchao's NF4Tensor: double quantization, vocabulary matrices left alone.
            Weights = CasePrecision.Weights(training == TrainingMethod.Qlora ? "nf4-dq" : "bf16", model),
            Trainer = TrainerCatalog.Find("torchtune")!,
            Optimizer = TrainingCases.Optimizer("adamw-bf16"),
            MasterWeights = false,
            SequenceLength = sequence,
            MicroBatch = batch,
            Adapter = training == TrainingMethod.Full ? null : new(8, "default"),
        };
    }
}
