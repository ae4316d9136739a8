using Plimsoll.Models;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Pre-training with torchtitan: FP32 parameters in FSDP2 mixed precision, BF16 computation.</summary>
internal static class TrainingTorchTitanCases
{
    public static TrainingRequest Request(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var model = MemoryCases.Model(measured, findModel);
        if (measured.IntegerSetting("cp") > 1)
            throw new CaseRefusedException("context parallelism is not planned");
        var checkpointing = measured.Setting("ac") switch
        {
            "full" => Checkpointing.Full,
            "selective" => Checkpointing.Selective,
            "none" => Checkpointing.None,
            _ => throw new CaseRefusedException("activation checkpointing is not stated"),
        };
        var tensor = (int)(measured.IntegerSetting("tp") ?? 1);
        var pipeline = (int)(measured.IntegerSetting("pp") ?? 1);
        var data = (int)TrainingCases.Required(measured, "fsdp", "the number of sharding ranks");
        var batch = TrainingCases.Required(measured, "local_batch", "the local batch");
        return new()
        {
            Model = model,
            Method = TrainingMethod.Full,
            // Four bytes of weights and of gradients, both sharded; layers are gathered in BF16.
            Weights = CasePrecision.Weights("fp32", model),
            MasterWeights = false,
            GradientBytes = 4,
            Trainer = TrainerCatalog.Find("torchtitan")!,
            Optimizer = TrainingCases.Optimizer("adamw"),
            SequenceLength = TrainingCases.Required(measured, "seq", "the sequence length"),
            // A pipeline runs the local batch sample by sample.
            MicroBatch = pipeline > 1 ? 1 : (int)batch,
            Accumulation = pipeline > 1 ? (int)batch : 1,
            Checkpointing = checkpointing,
            Compiled = measured.Switch("compile") == true,
            Parallel = new(data, tensor, pipeline) { Sharding = data > 1 ? Sharding.Weights : Sharding.None, Sequence = tensor > 1 },
        };
    }
}
