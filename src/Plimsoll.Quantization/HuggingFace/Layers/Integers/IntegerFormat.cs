using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>A format of integers: what all of them share is how a layer is rounded or its codes are taken over.</summary>
internal abstract class IntegerFormat : LinearFormat
{
    protected abstract IntegerRange Range { get; }

    /// <summary>Where the format puts the codes of a layer.</summary>
    /// <param name="module"><c>model.layers.0.mlp.up_proj</c>.</param>
    protected abstract IntegerPacking Packing(string module, long outputs, long inputs, NumberFormat model);

    public override WeightJob CreateJob(ImmutableArray<StoredWeight> layers, NumberFormat model) => CreateJob(layers[0], model, grid => new NearestRounder(grid));

    /// <summary>The job that writes a layer.</summary>
    /// <param name="rounder">What chooses its numbers.</param>
    public WeightJob CreateJob(StoredWeight layer, NumberFormat model, Func<IntegerGrid, IntegerRounder> rounder)
    {
        var packing = Packing(layer, model);
        return new IntegerLayerJob(layer, packing, rounder(new(packing, Range)), Description);
    }

    public override WeightJob? CreateTranscode(StoredWeight layer, NumberFormat model) => IntegerTranscodeJob.Create(layer, Packing(layer, model), Description);

    /// <summary>The scales and zero points that a layer can have.</summary>
    public IntegerGrid Grid(StoredWeight layer, NumberFormat model) => new(Packing(layer, model), Range);

    /// <summary>Columns of a group as configurations count: −1 for whole rows.</summary>
    protected static string GroupText(int group) => group < 0 ? "per channel" : $"group {group}";

    protected static string? GroupObstacle(long inputs, int group) =>
        group > 0 && inputs % group != 0 ? $"their inputs are no whole number of groups of {group}" : null;

    private IntegerPacking Packing(StoredWeight layer, NumberFormat model) => Packing(layer.Storage.Module, layer.Dimensions[0], layer.Dimensions[1], model);
}
