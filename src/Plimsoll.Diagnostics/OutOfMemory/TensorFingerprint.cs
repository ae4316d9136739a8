using System.Globalization;
using Plimsoll.Models;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Which tensors of a model have the size that was asked for.</summary>
/// <remarks>The allocator rounds large requests up to 2 MiB and messages to two decimals, so a size can fit several tensors; all of them are named.</remarks>
public static class TensorFingerprint
{
    private const long Segment = 2L << 20;

    /// <summary>Requests up to here come from pools of fixed segments and say nothing about the tensor.</summary>
    private const long SmallestTelling = 20L << 20;

    /// <param name="requested">What the message says was asked for.</param>
    /// <param name="batch">Samples of a step.</param>
    /// <param name="length">Tokens of a sample.</param>
    /// <returns>Sentences such as <c>logits of 2 × 4,096 tokens over 128,256 entries in FP32</c>, the closest first.</returns>
    public static IEnumerable<string> Candidates(ModelShape model, Amount requested, long batch, long length)
    {
        if (requested.Bytes <= SmallestTelling)
            return [];
        return Tensors(model, batch, length)
            .Where(tensor => tensor.Bytes - requested.Rounding <= requested.Bytes && requested.Bytes <= tensor.Bytes + Segment + requested.Rounding)
            .OrderBy(tensor => Math.Abs(requested.Bytes - tensor.Bytes))
            .Select(tensor => tensor.Name)
            .Distinct()
            .Take(3);
    }

    private static IEnumerable<(string Name, double Bytes)> Tensors(ModelShape model, long batch, long length)
    {
        double tokens = (double)batch * length;
        var run = string.Create(CultureInfo.InvariantCulture, $"{batch} × {length:N0} tokens");
        foreach (var (bytes, type) in new[] { (2, "16 bits"), (4, "FP32") })
        {
            yield return (string.Create(CultureInfo.InvariantCulture, $"the logits of {run} over {model.VocabularySize:N0} entries in {type}"), bytes * tokens * model.VocabularySize);
            yield return ($"hidden states of {run} in {type}", bytes * tokens * model.HiddenSize);
            if (model.Layers.Select(layer => layer.Attention).FirstOrDefault(attention => attention is not null) is { } attention)
            {
                yield return ($"the attention scores of {attention.Heads} heads over {run} in {type}, which eager attention stores", bytes * tokens * length * attention.Heads);
                yield return ($"the causal mask of {run} in {type}", bytes * tokens * length);
            }
            foreach (var width in model.Tensors.Where(tensor => tensor.Name.Contains("up_proj", StringComparison.Ordinal) && tensor.Dimensions.Length == 2).Select(tensor => tensor.Dimensions[0]).Distinct().Take(2))
                yield return ($"the feed-forward activations of {run} in {type}", bytes * tokens * width);
            foreach (var weight in model.Tensors.Where(tensor => tensor.Elements > 1 << 22).DistinctBy(tensor => tensor.Elements).Take(24))
                yield return ($"a weight like {weight.Name}, or its gradient, in {type}", (double)bytes * weight.Elements);
            yield return ($"all parameters in {type}", (double)bytes * model.Parameters);
        }
    }
}
