using Plimsoll.Models;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Accuracy;

/// <summary>LitGPT's finetune scripts on Alpaca.</summary>
internal static class TrainingLitGptCases
{
    /// <summary>finetune/lora.py of the cited versions: rank 8 on query and value.</summary>
    private const int Rank = 8;

    public static TrainingRequest Request(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var model = MemoryCases.Model(measured, findModel);
        var method = measured.Setting("method") ?? "";
        var batch = (int)TrainingCases.Required(measured, "micro_batch", "the micro-batch");
        var sequence = TrainingCases.Required(measured, "max_seq_tokens_in_dataset", "the length of the longest sample");
        var gpus = (int)(measured.IntegerSetting("gpus") ?? 1);
        var adapter = method switch
        {
            "finetune_lora" => new AdapterSettings(Rank, "default") { Parameters = measured.IntegerSetting("trainable_params") },
            "finetune_adapter" => new AdapterSettings(Rank, "default") { Parameters = measured.IntegerSetting("trainable_params") },
            // A scale and a bias on every linear layer.
            "finetune_adapter_v2" => new AdapterSettings(Rank, "all-linear") { Parameters = measured.IntegerSetting("trainable_params"), Keeps = AdapterKeeps.Output },
            "finetune_full" => null,
            _ => throw new CaseRefusedException($"the LitGPT script '{method}' is not planned"),
        };
        var precision = LitGptCases.Precision(measured);
        return new()
        {
            Model = model,
            Method = adapter is null ? TrainingMethod.Full : measured.Setting("quant") is null ? TrainingMethod.Lora : TrainingMethod.Qlora,
            Weights = CasePrecision.Weights(precision, model),
            Trainer = TrainerCatalog.Find("litgpt")!,
            // bf16-true: torch's AdamW keeps its states in the type of the parameters.
            Optimizer = TrainingCases.Optimizer("adamw-bf16"),
            MasterWeights = false,
            SequenceLength = sequence,
            MicroBatch = batch,
            Accumulation = adapter is null ? 2 : 1,
            Adapter = adapter,
            // Several GPUs: FSDPStrategy(activation_checkpointing_policy={Block}).
            Checkpointing = gpus > 1 ? Checkpointing.Full : Checkpointing.None,
            Parallel = new(gpus) { Sharding = gpus > 1 ? Sharding.Weights : Sharding.None },
        };
    }
}
