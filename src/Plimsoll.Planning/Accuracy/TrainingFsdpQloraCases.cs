using Plimsoll.Models;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Answer.AI's fsdp_qlora script on two GPUs.</summary>
internal static class TrainingFsdpQloraCases
{
    /// <summary>train.py: lora_rank 64 on all projections but the output of attention, everything in bf16.</summary>
    private static readonly AdapterSettings Adapter = new(64, "q_proj", "k_proj", "v_proj", "gate_proj", "up_proj", "down_proj") { Type = ComputeType.Bf16 };

    public static TrainingRequest Request(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var model = MemoryCases.Model(measured, findModel);
        var method = measured.Setting("method") switch
        {
            "QLoRA" => TrainingMethod.Qlora,
            "LoRA" => TrainingMethod.Lora,
            var other => throw new CaseRefusedException($"the method '{other}' is not planned"),
        };
        var gpus = (int)TrainingCases.Required(measured, "gpus", "the number of GPUs");
        var sharded = measured.Setting("sharding")?.Contains("fsdp", StringComparison.Ordinal) == true;
        var offload = measured.Switch("cpu_offload") == true;
        return new()
        {
            Model = model,
            Method = method,
            Weights = CasePrecision.Weights(method == TrainingMethod.Qlora ? "nf4" : "bf16", model),
            Trainer = TrainerCatalog.Find("fsdp-qlora")!,
            Optimizer = TrainingCases.Optimizer("adamw-bf16"),
            SequenceLength = TrainingCases.Required(measured, "context", "the sequence length"),
            MicroBatch = (int)TrainingCases.Required(measured, "batch_per_gpu", "the batch"),
            Checkpointing = measured.Switch("gradient_checkpointing") switch
            {
                true => Checkpointing.Full,
                false => Checkpointing.None,
                null => throw new CaseRefusedException("activation checkpointing is not stated"),
            },
            Adapter = Adapter,
            Offload = offload ? TrainingOffload.Weights | TrainingOffload.Optimizer : TrainingOffload.None,
            Parallel = new(gpus) { Sharding = sharded ? Sharding.Weights : Sharding.None },
        };
    }
}
