using System.Collections.Immutable;
using Plimsoll.Checkpoints.Layouts;

namespace Plimsoll.Models.Inspection;

/// <summary>A line of the table of types or of parts.</summary>
/// <param name="Name">The type (<c>BF16</c>, <c>GPTQ 4-bit, group 128</c>) or the part of the model (<c>attention</c>).</param>
/// <param name="Tensors">Stored tensors, side tensors such as scales included.</param>
/// <param name="Parameters">Weights; null when their number is not known, 0 for what is no parameter.</param>
/// <param name="Bytes">Bytes of all of them in the files.</param>
public sealed record StorageLine(string Name, int Tensors, long? Parameters, long Bytes)
{
    public double? BitsPerWeight => Parameters is > 0 ? 8.0 * Bytes / Parameters : null;
}

/// <summary>Adds up what a checkpoint stores, by type and by part of the model.</summary>
internal static class StorageLines
{
    public static ImmutableArray<StorageLine> ByType(IEnumerable<ParameterStorage> storages, Func<ParameterStorage, long?> elementsOf) =>
        [.. Lines(storages, TypeOf, elementsOf).OrderByDescending(line => line.Bytes).ThenBy(line => line.Name, StringComparer.Ordinal)];

    /// <summary>In the order of a forward pass.</summary>
    public static ImmutableArray<StorageLine> ByPart(IEnumerable<ParameterStorage> storages, Func<ParameterStorage, TensorRole> roleOf, Func<ParameterStorage, long?> elementsOf)
    {
        var names = Enum.GetValues<TensorRole>().Select(NameOf).Distinct().ToList();
        return [.. Lines(storages.Where(storage => storage.Kind == StorageKind.Parameter), storage => NameOf(roleOf(storage)), elementsOf).OrderBy(line => names.IndexOf(line.Name))];
    }

    private static IEnumerable<StorageLine> Lines(IEnumerable<ParameterStorage> storages, Func<ParameterStorage, string> nameOf, Func<ParameterStorage, long?> elementsOf) => storages
        .Where(storage => storage.Kind != StorageKind.Alias)
        .GroupBy(nameOf)
        .Select(group => new StorageLine(group.Key, group.Sum(storage => storage.Parts.Length), Sum(group.Select(elementsOf)), group.Sum(storage => storage.Bytes)));

    private static string TypeOf(ParameterStorage storage) => storage.Kind switch
    {
        StorageKind.Buffer => "buffers, no parameters",
        StorageKind.CacheScale => "KV cache scales",
        StorageKind.Orphan => "scales without weights",
        StorageKind.Copy => "copy of a tied parameter",
        StorageKind.Optimizer => "optimizer state",
        _ => storage.TypeName,
    };

    private static long? Sum(IEnumerable<long?> counts)
    {
        long? total = 0;
        foreach (var count in counts)
            total = count is null || total is null ? null : checked(total + count);
        return total;
    }

    private static string NameOf(TensorRole role) => role switch
    {
        TensorRole.Embedding or TensorRole.PositionEmbedding => "embeddings",
        TensorRole.OutputHead => "output head",
        TensorRole.Norm => "norms",
        TensorRole.Attention => "attention",
        TensorRole.Recurrent => "recurrent",
        TensorRole.FeedForward => "feed-forward",
        TensorRole.Router => "router",
        TensorRole.Expert => "experts",
        TensorRole.SharedExpert => "shared experts",
        TensorRole.Tower => "vision or audio tower",
        TensorRole.NextToken => "next-token prediction (MTP)",
        _ => "other",
    };
}
