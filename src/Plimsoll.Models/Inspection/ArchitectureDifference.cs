using System.Collections.Immutable;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Models.Inspection;

/// <summary>How the names in a checkpoint differ from those of its architecture.</summary>
/// <param name="Absent">Tensors of the architecture that are not stored, or of which experts are missing.</param>
/// <param name="Extra">Stored parameters that the architecture has not; a second copy of a tied head and towers are apart.</param>
/// <param name="Beside">Extra parameters of towers and of next-token prediction.</param>
/// <param name="TiedHead">The output head of a model whose configuration says that it is the embedding.</param>
internal sealed record ArchitectureDifference(
    ImmutableArray<(TensorShape Shape, int Missing)> Absent, ImmutableArray<ParameterStorage> Extra, ImmutableArray<ParameterStorage> Beside, ParameterStorage? TiedHead)
{
    /// <summary>As many weights are absent as extra: the tensors are there under names that are not known here.</summary>
    public bool IsNamingOnly { get; private init; }

    /// <returns>Null for GGUF files, whose architecture is read from the tensors themselves, and where no architecture is known.</returns>
    public static ArchitectureDifference? Of(CheckpointInspection inspection)
    {
        if (inspection is not { Match: { } match, Shape: { } shape, Checkpoint: { Gguf: null } checkpoint })
            return null;
        // Where shards are missing, the index tells what they hold.
        var promised = inspection.IsComplete || checkpoint.Index is not { } index
            ? null
            : index.WeightMap.Keys.Select(name => TensorName.Key(TensorName.Of(name).Parameter)).ToHashSet(StringComparer.Ordinal);
        var absent = inspection.IsComplete || promised is not null
            ? match.Pairs.Select(pair => (pair.Shape, Missing: MissingOf(pair.Shape, pair.Stored))).Where(pair => pair.Missing > 0 && promised?.Contains(TensorName.Key(pair.Shape.Name)) != true)
            : [];
        var extra = match.Extra.Where(storage => storage.Kind is StorageKind.Parameter or StorageKind.Copy).ToLookup(storage => Sort(storage, shape));
        var difference = new ArchitectureDifference([.. absent], [.. extra[0]], [.. extra[1]], extra[2].FirstOrDefault());
        var absentWeights = difference.Absent.Sum(pair => pair.Shape.ElementsOfOne * pair.Missing);
        var all = difference.Extra.AddRange(difference.Beside);
        return difference with { IsNamingOnly = !all.IsEmpty && absentWeights == all.Sum(storage => storage.Elements ?? -1), Extra = difference.Extra };
    }

    private static int Sort(ParameterStorage storage, ModelShape shape) => TensorRoles.OfName(storage.Name) switch
    {
        TensorRole.Tower or TensorRole.NextToken => 1,
        TensorRole.OutputHead when shape.TiedEmbeddings && storage.Name.EndsWith(".weight", StringComparison.Ordinal) => 2,
        _ => 0,
    };

    private static int MissingOf(TensorShape shape, IReadOnlyList<ParameterStorage> stored) => stored.Count switch
    {
        0 => shape.Count,
        1 => 0,
        var count => Math.Max(0, shape.Count - count),
    };
}
