using System.Text.Json;
using Plimsoll.Models;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Accuracy;

/// <summary>axolotl's example configurations with the memory that the maintainers state for them.</summary>
internal static class TrainingAxolotlCases
{
    private static readonly string[] Projections = ["gate_proj", "up_proj", "down_proj", "q_proj", "k_proj", "v_proj", "o_proj"];

    public static TrainingRequest Request(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        if (measured.SettingElement("fsdp_config").ValueKind == JsonValueKind.Object || measured.Setting("deepspeed") is not null)
            throw new CaseRefusedException("the number of GPUs that share the model is not stated");
        var model = MemoryCases.Model(measured, findModel);
        var method = measured.Setting("adapter") switch
        {
            null => TrainingMethod.Full,
            "qlora" => TrainingMethod.Qlora,
            "lora" when measured.Switch("load_in_8bit") == true => TrainingMethod.Qlora,
            "lora" => TrainingMethod.Lora,
            var other => throw new CaseRefusedException($"the adapter '{other}' is not planned"),
        };
        return new()
        {
            Model = model,
            Method = method,
            Weights = CasePrecision.Weights(Precision(measured, method), model),
            Trainer = TrainerCatalog.Find("axolotl")!,
            Optimizer = TrainingCases.Optimizer(measured.Setting("optimizer")),
            MasterWeights = false,
            SequenceLength = TrainingCases.Required(measured, "sequence_len", "the sequence length"),
            MicroBatch = (int)TrainingCases.Required(measured, "micro_batch_size", "the micro-batch"),
            Accumulation = (int)(measured.IntegerSetting("gradient_accumulation_steps") ?? 1),
            Checkpointing = measured.Switch("gradient_checkpointing") == true ? Checkpointing.Full : throw new CaseRefusedException("activation checkpointing is not stated"),
            Loss = Fuses(measured) ? LossKind.Fused : LossKind.Plain,
            Adapter = method == TrainingMethod.Full ? null : new((int)TrainingCases.Required(measured, "lora_r", "the rank"), Targets(measured, model)),
        };
    }

    private static bool Fuses(MeasuredCase measured) =>
        measured.SettingElement("plugins") is { ValueKind: JsonValueKind.Array } plugins
        && plugins.EnumerateArray().Any(plugin => plugin.GetString() is { } name && (name.Contains("CutCrossEntropy", StringComparison.Ordinal) || name.Contains("Liger", StringComparison.Ordinal)));

    private static string Precision(MeasuredCase measured, TrainingMethod method)
    {
        if (measured.Model.Contains("NVFP4", StringComparison.OrdinalIgnoreCase))
            return "nvfp4";
        if (method != TrainingMethod.Qlora)
            return "bf16";
        var experts = measured.Switch("quantize_moe_experts") == true ? "+experts" : "";
        return (measured.Switch("load_in_8bit") == true ? "bnb-int8" : "nf4-dq") + experts;
    }

    /// <summary>A list of module names, <c>lora_target_linear</c>, or a pattern over the projections of the text model.</summary>
    private static string[] Targets(MeasuredCase measured, ModelShape model)
    {
        var names = measured.SettingElement("lora_target_modules") is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Select(item => item.GetString()!)
            : Projections.Where(name => measured.Setting("lora_target_modules") is not { } pattern
                || (pattern.Contains(name.Split('_')[0], StringComparison.Ordinal) && pattern.Contains(name[0] is 'q' or 'k' or 'v' or 'o' ? "self_attn" : "mlp", StringComparison.Ordinal)));
        var present = names.Where(name => model.Tensors.Any(tensor => tensor is { IsLinear: true, Layer: not null } && AdapterPlacement.ModuleName(tensor) == name)).ToArray();
        string[] modules = measured.Switch("lora_target_linear") == true || present.Length == 0 ? ["all-linear"] : present;
        // Adapters on the fused parameters of routed experts.
        return measured.SettingElement("lora_target_parameters").ValueKind == JsonValueKind.Array ? [.. modules, "experts"] : modules;
    }
}
