using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf;

/// <summary>From a GGUF file to one with other types: the metadata is taken over, names and order of the numbers stay.</summary>
internal static class GgufFromGguf
{
    public static GgufContent Read(LocatedModel located, GgufRecipe recipe)
    {
        var weights = new WeightReader(located.Checkpoint!, quantization: null);
        var keys = new GgufKeyValues();
        keys.CopyFrom(located.Checkpoint!.Gguf!, key => !key.StartsWith("split.", StringComparison.Ordinal) && !key.StartsWith("plimsoll.", StringComparison.Ordinal));
        var layout = GgufLayout.OfFile(located.Shape);
        // A tensor that is not found by its name is a scale that belongs to another.
        var tensors = layout.Tensors
            .Select(tensor => (Tensor: tensor, Weight: weights.Find(tensor.Name)))
            .Where(pair => pair.Weight is not null)
            .Select(pair => new GgufSource(pair.Tensor, new StoredRows(pair.Weight!), [pair.Weight!]));
        if (recipe.Importance is null && keys.Contains("quantize.imatrix.file"))
        {
            foreach (var key in keys.Keys.Where(key => key.StartsWith("quantize.imatrix.", StringComparison.Ordinal)).ToList())
                keys.Remove(key);
        }
        return new(located.Shape.Architecture, keys, [.. tensors], layout.Facts, [], weights);
    }
}
