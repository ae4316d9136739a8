using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.Opening;

/// <summary>Decides which files of a folder form a checkpoint.</summary>
internal static class CheckpointFolder
{
    public static Checkpoint Open(string folder)
    {
        if (OpenHuggingFace(folder) is { } open)
            return open();
        return GgufFiles(folder) switch
        {
            [var only] => CheckpointFiles.Open(only) with { Path = folder },
            [] => throw new CheckpointFormatException(folder, null, "a folder with *.safetensors, pytorch_model*.bin or *.gguf", "none of them"),
            var several => throw new CheckpointFormatException(folder, null, "one checkpoint",
                $"{several.Length:N0} GGUF files; name one of them: {CheckpointFiles.Examples(several.Select(Path.GetFileName), 10)}"),
        };
    }

    public static ImmutableArray<string> Locate(string folder) =>
        [.. OpenHuggingFace(folder) is null ? Array.Empty<string>() : [folder], .. GgufFiles(folder)];

    public static ImmutableArray<string> LocateAll(string folder)
    {
        var safetensors = Files(folder, "*.safetensors");
        var isOne = File.Exists(Path.Combine(folder, "config.json")) || First(folder, "model.safetensors", "*.safetensors.index.json") is not null
            || safetensors.Select(FirstOfSplit).Distinct().ToList() is [not null];
        if (OpenHuggingFace(folder) is not null && (isOne || safetensors.IsEmpty))
            return [folder, .. GgufFiles(folder)];
        string[] patterns = ["*.pt", "*.pth", "*.ckpt", "*.bin"];
        var loose = safetensors.DistinctBy(file => FirstOfSplit(file) ?? file).Concat(patterns.SelectMany(pattern => Files(folder, pattern)).Where(CheckpointFile.IsRecognized));
        return [.. loose.Concat(GgufFiles(folder)).Order(StringComparer.Ordinal)];
    }

    /// <summary>How to open the checkpoint that the Hugging Face libraries would load from the folder; null when there is none.</summary>
    private static Func<Checkpoint>? OpenHuggingFace(string folder)
    {
        if (First(folder, "model.safetensors.index.json", "*.safetensors.index.json") is { } safetensorsIndex)
            return () => CheckpointFiles.OpenIndexed(folder, safetensorsIndex);
        // Repositories that also carry the weights in another layout (consolidated.safetensors) must not count them twice.
        if (Files(folder, "model.safetensors") is [var model])
            return () => CheckpointFiles.OpenAll(folder, [model]);
        if (Files(folder, "*.safetensors") is { IsEmpty: false } safetensors)
            return () => OpenSet(folder, safetensors);
        if (First(folder, "pytorch_model.bin.index.json", "pytorch_model*.bin.index.json") is { } binIndex)
            return () => CheckpointFiles.OpenIndexed(folder, binIndex);
        if (Files(folder, "pytorch_model*.bin") is { IsEmpty: false } bins)
            return () => OpenSet(folder, bins);
        // Several consolidated.*.pth are slices of every tensor, not shards, and are not understood.
        return Files(folder, "consolidated*.pth") is [var consolidated] ? () => CheckpointFiles.OpenAll(folder, [consolidated]) : null;
    }

    /// <summary>Files that are all shards of one name are opened as such, so that a missing one is noticed.</summary>
    private static Checkpoint OpenSet(string folder, ImmutableArray<string> files)
    {
        var sets = files.Select(FirstOfSplit).Distinct().ToList();
        return sets is [not null] ? CheckpointFiles.Open(files[0]) with { Path = folder } : CheckpointFiles.OpenAll(folder, files);
    }

    /// <summary>Every GGUF of the folder; of a split one only its first file that is there.</summary>
    private static ImmutableArray<string> GgufFiles(string folder) =>
        [.. Files(folder, "*.gguf").DistinctBy(file => FirstOfSplit(file) ?? file)];

    /// <summary>The name of the first shard, which is the same for all of one set; null for a file that is no shard.</summary>
    private static string? FirstOfSplit(string file) =>
        ShardName.Parse(Path.GetFileName(file)) is { } name ? (name with { Number = 1 }).ToString() : null;

    private static string? First(string folder, string preferred, string pattern) =>
        Files(folder, preferred) is [var file] ? file : Files(folder, pattern) is [var other] ? other : null;

    private static ImmutableArray<string> Files(string folder, string pattern) =>
        [.. Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal)];
}
