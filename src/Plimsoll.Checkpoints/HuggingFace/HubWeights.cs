using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Safetensors;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Finds the files of a repository that hold the model's weights and reads their headers.</summary>
internal sealed record HubWeights
{
    /// <summary>Files beside the model's own weights, or a second copy of them in the layout of the model's maker.</summary>
    private static readonly string[] NotTheModel = ["adapter_model", "optimizer", "training_args", "consolidated"];

    /// <summary>97 % of headers are shorter (huggingface_hub, <c>parse_safetensors_file_metadata</c>), and the first bytes tell the rest exactly.</summary>
    private static readonly HeaderFormat<SafetensorsHeader> SafetensorsFormat = new(100_000, 1,
        (string path, ReadOnlyMemory<byte> prefix, long? length, out SafetensorsHeader? header, out long needed) => SafetensorsHeader.TryParse(path, prefix.Span, length, out header, out needed));

    /// <summary>Most of a GGUF header is its vocabulary: 0.7 MB for 32,000 tokens, 6 MB for 128,000 with merges.</summary>
    private static readonly HeaderFormat<GgufHeader> GgufFormat = new(1 << 20, 2, GgufHeader.TryParse);

    public ImmutableArray<TensorHeader>? Tensors { get; init; }

    public GgufMetadata? Gguf { get; init; }

    public ImmutableArray<GgufChoice> Choices { get; init; } = [];

    public GgufChoice? Chosen { get; init; }

    public ImmutableArray<string> Notes { get; init; } = [];

    public static async Task<HubWeights> ReadAsync(HubSession session, CancellationToken cancellation)
    {
        var choices = GgufChoice.Find(session.Listing.Files);
        if (session.Reference.Tag is { } tag)
            return await ReadGgufAsync(session, choices, Choose(session, choices, tag), cancellation).ConfigureAwait(false);
        if (await FindSafetensorsAsync(session, cancellation).ConfigureAwait(false) is { Count: > 0 } files)
            return await ReadSafetensorsAsync(session, files, cancellation).ConfigureAwait(false) with { Choices = choices };
        return choices.Length switch
        {
            1 => await ReadGgufAsync(session, choices, choices[0], cancellation).ConfigureAwait(false),
            > 1 => new() { Choices = choices, Notes = [$"{session.Reference.Repository} offers {choices.Length} GGUF files; choose one with {session.Reference.Repository}:{choices[0].Tag}"] },
            _ => new() { Notes = [DescribeOthers(session)] },
        };
    }

    private static GgufChoice Choose(HubSession session, ImmutableArray<GgufChoice> choices, string tag)
    {
        var matches = choices.Where(choice => choice.Tag.Equals(tag, StringComparison.OrdinalIgnoreCase)).ToList();
        if (matches.Count == 0)
            matches = [.. choices.Where(choice => choice.Matches(tag))];
        if (matches.Count > 0)
            return matches[0];
        throw new HubException(HubFailure.FileNotFound,
            $"{session.Reference.Repository} has no GGUF file for \"{tag}\"",
            choices.Length == 0 ? "It has no GGUF files at all; leave out the tag." : $"It offers {string.Join(", ", choices.Select(choice => choice.Tag).Distinct())}.");
    }

    /// <summary>The shards of the index, or the only file, or a complete set of numbered files.</summary>
    private static async Task<List<HubFile>> FindSafetensorsAsync(HubSession session, CancellationToken cancellation)
    {
        var top = session.Listing.Files.Where(file => !file.Path.Contains('/')).ToList();
        var indices = top.Where(file => file.Path.EndsWith(".safetensors.index.json", StringComparison.Ordinal)).ToList();
        var index = indices.Find(file => file.Path == "model.safetensors.index.json") ?? (indices.Count == 1 ? indices[0] : null);
        if (index is not null && await session.ReadFileAsync(index.Path, HubLimits.MaxIndexBytes, cancellation).ConfigureAwait(false) is { } json)
        {
            var map = ModelConfig.Parse(session.Name(index.Path), json).Object("weight_map")
                ?? throw new CheckpointFormatException(session.Name(index.Path), null, "the key \"weight_map\"", "no such key");
            return [.. map.Root.EnumerateObject().Select(entry => map.RequireString(entry.Name)).Distinct().Order(StringComparer.Ordinal).Select(name => Shard(session, index.Path, name))];
        }
        if (top.Find(file => file.Path == "model.safetensors") is { } single)
            return [single];
        var others = top.Where(file => file.Path.EndsWith(".safetensors", StringComparison.Ordinal)).ToList();
        var models = others.Where(file => !NotTheModel.Any(name => file.Path.StartsWith(name, StringComparison.Ordinal))).ToList();
        return models.Count switch
        {
            1 => models,
            // Without model files of its own kind, the maker's copy is the model.
            0 => [.. others.Where(file => file.Path.StartsWith("consolidated", StringComparison.Ordinal))],
            _ => [.. models.Where(file => file.Path.StartsWith("model-", StringComparison.Ordinal))],
        };
    }

    private static HubFile Shard(HubSession session, string index, string name)
    {
        if (!HubListing.IsSafePath(name))
            throw new CheckpointFormatException(session.Name(index), null, "names of files in the repository", $"\"{name}\"");
        // From the cache alone the listing may lack a shard that an earlier run has the header of.
        return session.Listing.Find(name) ?? (session.IsOffline
            ? new HubFile(name, null, null)
            : throw new CheckpointFormatException(session.Name(index), null, "only files that the repository has", $"\"{name}\", which it lacks"));
    }

    private static async Task<HubWeights> ReadSafetensorsAsync(HubSession session, List<HubFile> files, CancellationToken cancellation)
    {
        var headers = new SafetensorsHeader?[files.Count];
        await Parallel.ForAsync(0, files.Count, Options(cancellation), async (index, token) =>
            headers[index] = await session.ReadHeaderAsync(files[index], SafetensorsFormat, token).ConfigureAwait(false)).ConfigureAwait(false);
        return headers.Contains(null)
            ? new() { Notes = [NotAllCached(headers.Count(header => header is null), files.Count)] }
            : new() { Tensors = [.. headers.SelectMany(header => header!.Tensors)] };
    }

    private static async Task<HubWeights> ReadGgufAsync(HubSession session, ImmutableArray<GgufChoice> choices, GgufChoice chosen, CancellationToken cancellation)
    {
        var headers = new GgufHeader?[chosen.Files.Length];
        await Parallel.ForAsync(0, chosen.Files.Length, Options(cancellation), async (index, token) =>
            headers[index] = await session.ReadHeaderAsync(chosen.Files[index], GgufFormat, token).ConfigureAwait(false)).ConfigureAwait(false);
        return headers.Contains(null)
            ? new() { Choices = choices, Chosen = chosen, Notes = [NotAllCached(headers.Count(header => header is null), headers.Length)] }
            : new() { Choices = choices, Chosen = chosen, Gguf = headers[0]!.Metadata, Tensors = [.. headers.SelectMany(header => header!.Tensors)] };
    }

    private static ParallelOptions Options(CancellationToken cancellation) => new() { MaxDegreeOfParallelism = HubLimits.Concurrency, CancellationToken = cancellation };

    private static string NotAllCached(int missing, int total) => $"the headers of {missing} of {total} weight files are not in the cache";

    private static string DescribeOthers(HubSession session)
    {
        var pickles = session.Listing.Files.Where(file => file.Path.EndsWith(".bin", StringComparison.Ordinal) || file.Path.EndsWith(".pt", StringComparison.Ordinal) || file.Path.EndsWith(".pth", StringComparison.Ordinal)).ToList();
        return pickles.Count == 0
            ? "the repository has no weight files that can be read from afar"
            : $"the weights are {pickles.Count} PyTorch files ({new ByteSize(pickles.Sum(file => file.Size ?? 0))}), whose tensor lists cannot be read without downloading them";
    }
}
