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
        var tensors = layout.Tensors.Select(tensor =>
        {
            var weight = weights.Find(tensor.Name) ?? throw new InvalidOperationException($"{tensor.Name} is in the header and not among the weights");
            return new GgufSource(tensor, new StoredRows(weight), [weight]);
        });
        if (recipe.Importance is null && keys.Contains("quantize.imatrix.file"))
        {
            foreach (var key in keys.Keys.Where(key => key.StartsWith("quantize.imatrix.", StringComparison.Ordinal)).ToList())
                keys.Remove(key);
        }
        return new(keys, [.. tensors], layout.Facts, [], weights.Tensors);
    }
}
