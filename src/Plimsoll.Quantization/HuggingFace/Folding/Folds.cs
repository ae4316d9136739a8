using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Quantization.HuggingFace.Folding;

/// <summary>The factors that were found for a model: columns of layers are multiplied, the parameters before them divided.</summary>
public sealed class Folds
{
    private readonly Dictionary<string, Fold> byParameter = new(StringComparer.Ordinal);
    private readonly Dictionary<string, float[]> scales = new(StringComparer.Ordinal);

    internal Folds()
    {
    }

    /// <summary>How many groups of layers were rescaled.</summary>
    public int Count { get; private set; }

    /// <summary>What the columns of a layer are multiplied by, and its inputs divided; null for a layer that is left as it is.</summary>
    /// <param name="parameter">As Hugging Face names it.</param>
    internal float[]? ScalesOf(string parameter) => scales.GetValueOrDefault(parameter);

    /// <summary>The parameter as it is going to be written.</summary>
    internal StoredWeight Apply(StoredWeight weight) => byParameter.TryGetValue(weight.Name, out var fold) ? new FoldedWeight(weight, fold) : weight;

    /// <summary>Rescales the inputs of a group.</summary>
    /// <param name="wanted">What to multiply its columns by; above zero. What a norm cannot hold exactly is adjusted to what it can.</param>
    internal void Add(FoldGroup group, ReadOnlySpan<float> wanted)
    {
        var exact = group.IsNorm ? Storable(group, wanted) : wanted.ToArray();
        float[] inverse = [.. exact.Select(scale => 1 / scale)];
        Count++;
        foreach (var consumer in group.Consumers)
        {
            scales[consumer.Storage.Name] = exact;
            Merge(consumer, fold => fold with { Columns = exact });
        }
        Merge(group.Producer, fold => group.IsNorm ? fold with { Columns = inverse, Offset = group.NormOffset } : fold with { Rows = inverse, FirstRow = group.FirstRow });
        if (group.Bias is { } bias)
            Merge(bias, fold => fold with { Columns = group.IsNorm ? inverse : Padded(inverse, group.FirstRow, (int)bias.Open().RowLength) });
    }

    private void Merge(SourceParameter parameter, Func<Fold, Fold> change) =>
        byParameter[parameter.Storage.Name] = change(byParameter.GetValueOrDefault(parameter.Storage.Name, new()));

    /// <summary>The scales by which the stored numbers of the norm shrink exactly, once rounded to the norm's own type: nothing is lost.</summary>
    private static float[] Storable(FoldGroup group, ReadOnlySpan<float> wanted)
    {
        var norm = new float[wanted.Length];
        group.Producer.Open().ReadRows(0, norm);
        var (divided, format) = (new float[wanted.Length], group.Producer.Storage.Main.Format);
        for (var column = 0; column < divided.Length; column++)
            divided[column] = (norm[column] + group.NormOffset) / wanted[column] - group.NormOffset;
        var bytes = new byte[format.BytesFor(divided.Length)];
        ElementCodec.Encode(format, divided, bytes, FloatOverflow.Saturate);
        ElementCodec.Decode(format, bytes, divided);
        for (var column = 0; column < divided.Length; column++)
        {
            var scale = (norm[column] + group.NormOffset) / (divided[column] + group.NormOffset);
            // A weight of zero has nothing to divide.
            divided[column] = float.IsFinite(scale) && scale > 0 ? scale : 1;
        }
        return divided;
    }

    private static float[] Padded(float[] factors, int first, int length)
    {
        var padded = new float[length];
        Array.Fill(padded, 1);
        factors.CopyTo(padded, first);
        return padded;
    }
}
