using Plimsoll.Models;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Gguf;

/// <summary>From a checkpoint to the plan of a GGUF file that llama.cpp loads: what <c>convert_hf_to_gguf.py</c> and <c>llama-quantize</c> do, in one step.</summary>
public static class GgufConversion
{
    /// <param name="model">A Hugging Face model, or a GGUF file that is to get other types.</param>
    /// <returns>The files; nothing but headers, configuration and vocabulary is read before they are written.</returns>
    /// <exception cref="QuantizationRefusedException">The model cannot be written so, or the recipe asks for what cannot be.</exception>
    /// <exception cref="Plimsoll.Checkpoints.CheckpointFormatException">Configuration, tensors and tokenizer contradict each other, or something is missing.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static OutputPlan Plan(LocatedModel model, GgufRecipe recipe)
    {
        var content = Read(model, recipe);
        ProvenanceKeys.Write(content.Keys, model.Checkpoint!, recipe);
        return new GgufPlanner(content, recipe).Plan();
    }

    /// <summary>What the file is going to hold, before its tensors have types.</summary>
    /// <inheritdoc cref="Plan" path="/exception"/>
    internal static GgufContent Read(LocatedModel model, GgufRecipe recipe)
    {
        if (model.Checkpoint is not { } checkpoint)
            throw new QuantizationRefusedException($"'{model.Shape.Id}' is a description without weights; download the checkpoint and name its folder.");
        if (checkpoint.MissingFiles is [var missing, ..])
            throw new QuantizationRefusedException($"{checkpoint.MissingFiles.Length} of the checkpoint's files are missing, the first of them {Path.GetFileName(missing)}.");
        return model.IsGguf ? GgufFromGguf.Read(model, recipe) : GgufFromHuggingFace.Read(model);
    }
}
