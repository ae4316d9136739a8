using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf.Rows;

namespace Plimsoll.Quantization.Gguf;

/// <summary>The parameters of a Hugging Face checkpoint by the names that the architecture gives them.</summary>
internal sealed class SourceTensors
{
    private readonly WeightReader weights;
    private readonly string path;
    private readonly Dictionary<string, List<ParameterStorage>> byKey = new(StringComparer.Ordinal);
    private readonly HashSet<string> used = new(StringComparer.Ordinal);

    public SourceTensors(Checkpoint checkpoint, WeightReader weights)
    {
        (this.weights, path) = (weights, checkpoint.Path);
        foreach (var parameter in weights.Parameters.Where(parameter => parameter.Kind is StorageKind.Parameter or StorageKind.Alias or StorageKind.Copy))
        {
            var key = TensorName.Key(parameter.Name);
            if (!byKey.TryGetValue(key, out var list))
                byKey[key] = list = [];
            list.Add(parameter);
        }
        foreach (var experts in byKey.Values.Where(list => list.Count > 1))
            experts.Sort((left, right) => Number(left.Name).CompareTo(Number(right.Name)));
    }

    /// <summary>Parameters that nothing has asked for.</summary>
    public IEnumerable<ParameterStorage> Unused => byKey.Values.SelectMany(list => list).Where(parameter => !used.Contains(parameter.Name));

    /// <summary>The dimensions of a parameter as they are stored; null when it is not there.</summary>
    public ImmutableArray<long>? DimensionsOf(string name) => byKey.TryGetValue(TensorName.Key(name), out var list) ? list[0].Dimensions : null;

    /// <summary>The numbers of a parameter; those of all experts stacked.</summary>
    /// <exception cref="CheckpointFormatException">It is not there, or not of the shape that the configuration gives it.</exception>
    public (TensorRows Rows, ImmutableArray<StoredWeight> Sources) Find(TensorShape shape)
    {
        if (!byKey.TryGetValue(TensorName.Key(shape.Name), out var found))
            throw new CheckpointFormatException(path, null, $"the tensor '{shape.Name}', which the configuration says there is", "no such tensor");
        var isList = shape.Name.Contains('*', StringComparison.Ordinal);
        if (isList && found.Count != shape.Count)
            throw new CheckpointFormatException(path, null, $"{shape.Count} experts as '{shape.Name}'", $"{found.Count}");
        ImmutableArray<StoredWeight> stored = [.. (isList ? found : found.Take(1)).Select(parameter => Open(parameter, shape, isList))];
        return (isList ? new StackedRows([.. stored.Select(weight => (TensorRows)new StoredRows(weight))]) : new StoredRows(stored[0]), stored);
    }

    private StoredWeight Open(ParameterStorage parameter, TensorShape shape, bool isList)
    {
        used.Add(parameter.Name);
        var weight = weights.Open(parameter);
        ImmutableArray<long> expected = shape.Count > 1 && !isList ? [shape.Count, .. shape.Dimensions] : shape.Dimensions;
        var fits = weight.Dimensions.AsSpan().SequenceEqual(expected.AsSpan())
            // Packed experts lie (out, in) where plain ones of the same name lie (in, out).
            || (parameter.IsQuantized && expected.Length == 3 && weight.Dimensions.AsSpan().SequenceEqual([expected[0], expected[2], expected[1]]));
        return fits ? weight : throw new CheckpointFormatException(parameter.Main.File, parameter.Main.Offset,
            $"'{parameter.Name}' as [{string.Join(", ", expected)}], as the configuration says", $"[{string.Join(", ", weight.Dimensions)}]");
    }

    /// <summary>The number of the expert in a name.</summary>
    private static int Number(string name)
    {
        var parts = name.Split('.');
        for (var at = parts.Length - 1; at >= 0; at--)
        {
            if (int.TryParse(parts[at], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return number;
        }
        return 0;
    }
}
