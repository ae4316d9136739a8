using System.Text.Json;
using Plimsoll.Models;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Accuracy;

/// <summary>PEFT's method comparison: one model, one data set, many kinds of adapters.</summary>
internal static class TrainingPeftCases
{
    /// <summary>Adapters that add modules or vectors beside frozen weights; the others rewrite the weights themselves.</summary>
    private static readonly string[] Refused = ["OSF", "TRAINABLE_TOKENS", "LN_TUNING"];

    public static TrainingRequest Request(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var model = MemoryCases.Model(measured, findModel);
        var method = measured.Setting("method") ?? throw new CaseRefusedException("the method is not stated");
        if (Refused.Contains(method))
            throw new CaseRefusedException($"{method} decomposes or replaces weights; only adapters beside frozen weights are planned");
        var full = method.StartsWith("full", StringComparison.OrdinalIgnoreCase);
        var checkpointing = measured.Switch("gradient_checkpointing") switch
        {
            true => Checkpointing.Full,
            false => Checkpointing.None,
            null => throw new CaseRefusedException("activation checkpointing is not stated"),
        };
        return new()
        {
            Model = model,
            Method = full ? TrainingMethod.Full : TrainingMethod.Lora,
            Weights = CasePrecision.Weights("bf16", model),
            Trainer = TrainerCatalog.Default,
            Optimizer = full ? TrainingCases.Optimizer("adamw-bf16") : TrainingCases.Optimizer("adamw"),
            MasterWeights = false,
            SequenceLength = TrainingCases.Required(measured, "max_seq_length", "the sequence length"),
            MicroBatch = (int)TrainingCases.Required(measured, "batch", "the batch"),
            Checkpointing = checkpointing,
            Adapter = full ? null : Adapter(measured, method, model),
        };
    }

    private static AdapterSettings Adapter(MeasuredCase measured, string method, ModelShape model)
    {
        var targets = measured.SettingElement("targets") is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Select(item => item.GetString()!).ToArray()
            : ["default"];
        var rank = (int)(measured.IntegerSetting("lora_rank") ?? 8);
        var dora = measured.Setting("experiment")?.Contains("dora", StringComparison.OrdinalIgnoreCase) == true;
        var settings = new AdapterSettings(rank, targets) { Dora = dora, Keeps = method == "IA3" ? AdapterKeeps.Output : AdapterKeeps.Input };
        // Other kinds, and variants that train a part only, state their parameters.
        var stated = measured.IntegerSetting("trainable_params");
        return method != "LORA" || stated != AdapterPlacement.Parameters(model, settings) ? settings with { Parameters = stated } : settings;
    }
}
