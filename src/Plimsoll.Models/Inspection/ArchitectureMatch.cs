using System.Collections.Immutable;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Models.Inspection;

/// <summary>What a checkpoint stores beside what its architecture has, tensor by tensor.</summary>
public sealed class ArchitectureMatch
{
    private readonly Dictionary<string, Entry> _entries;

    private ArchitectureMatch(Dictionary<string, Entry> entries, ImmutableArray<ParameterStorage> extra)
    {
        _entries = entries;
        Extra = extra;
    }

    /// <summary>Tensors of the architecture with all that is stored for each: one, one per expert, or none.</summary>
    public IEnumerable<(TensorShape Shape, IReadOnlyList<ParameterStorage> Stored)> Pairs => _entries.Values.Select(entry => (entry.Shape, (IReadOnlyList<ParameterStorage>)entry.Stored));

    /// <summary>Stored parameters that the architecture does not have.</summary>
    public ImmutableArray<ParameterStorage> Extra { get; }

    public static ArchitectureMatch Create(ModelShape shape, IEnumerable<ParameterStorage> storages)
    {
        var entries = new Dictionary<string, Entry>(StringComparer.Ordinal);
        foreach (var tensor in shape.Tensors)
            entries.TryAdd(TensorName.Key(tensor.Name), new(tensor));
        var extra = ImmutableArray.CreateBuilder<ParameterStorage>();
        foreach (var storage in storages.Where(storage => storage.Kind is StorageKind.Parameter or StorageKind.Alias or StorageKind.Copy or StorageKind.Buffer))
        {
            if (entries.TryGetValue(TensorName.Key(storage.Name), out var entry))
                entry.Stored.Add(storage);
            else if (storage.Kind != StorageKind.Buffer)
                extra.Add(storage);
        }
        return new(entries, extra.ToImmutable());
    }

    /// <summary>The tensor of the architecture that this parameter is; null for an extra one.</summary>
    public TensorShape? ShapeOf(ParameterStorage storage) => _entries.GetValueOrDefault(TensorName.Key(storage.Name))?.Shape;

    /// <summary>The weights that the architecture says this parameter has: those of one expert, or of all when they are stored as one.</summary>
    public long? ElementsOf(ParameterStorage storage) => _entries.GetValueOrDefault(TensorName.Key(storage.Name)) is not { } entry ? null
        : entry.Shape.Count > 1 && entry.Stored.Count == 1 ? entry.Shape.Elements
        : entry.Shape.ElementsOfOne;

    private sealed record Entry(TensorShape Shape)
    {
        public List<ParameterStorage> Stored { get; } = [];
    }
}
