using Plimsoll.Models;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Unsloth's tables of the longest context that a card trains, for Unsloth itself and for Hugging Face with FlashAttention 2.</summary>
internal static class TrainingContextCases
{
    /// <summary>Where a run failed at every length, a length that nobody would call training.</summary>
    private const long ShortestUseful = 512;

    public static TrainingRequest Request(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var model = MemoryCases.Model(measured, findModel);
        var unsloth = measured.Framework == "unsloth";
        return new()
        {
            Model = model,
            Method = TrainingMethod.Qlora,
            Weights = CasePrecision.Weights(unsloth ? "nf4-dq" : "nf4", model),
            // Late 2024.
            Trainer = TrainerCatalog.Find(unsloth ? "unsloth" : "transformers@4.46")!,
            Optimizer = TrainingCases.Optimizer("adamw-8bit"),
            SequenceLength = (long)(measured.Measured("max_context_tokens") ?? ShortestUseful),
            MicroBatch = (int)TrainingCases.Required(measured, "batch", "the batch"),
            Checkpointing = Checkpointing.Full,
            // Unsloth moves the checkpoints to the host and never stores the logits.
            Offload = unsloth ? TrainingOffload.Activations : TrainingOffload.None,
            Loss = unsloth ? LossKind.Fused : LossKind.Plain,
            Adapter = new((int)TrainingCases.Required(measured, "lora_rank", "the rank"), "all-linear"),
        };
    }
}
