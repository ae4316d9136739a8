using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;

namespace Plimsoll.Checkpoints.Opening;

/// <summary>Opens one file, or several that form one checkpoint, and compares what they say about each other.</summary>
internal static class CheckpointFiles
{
    private const string IndexSuffix = ".index.json";

    public static Checkpoint Open(string path)
    {
        if (path.EndsWith(IndexSuffix, StringComparison.OrdinalIgnoreCase))
            return OpenIndexed(path, path);
        // The order of the folder's names is that of the numbers, which have leading zeros.
        return ShardName.Parse(Path.GetFileName(path)) is { Count: > 1 } name && File.Exists(path)
            ? OpenShards(path, name)
            : OpenAll(path, [path]);
    }

    /// <summary>Opens the files that an index names.</summary>
    /// <param name="path">The folder or index that the user named.</param>
    public static Checkpoint OpenIndexed(string path, string indexPath)
    {
        var index = ShardIndex.Read(indexPath);
        return OpenPresent(path, Folder(indexPath), index.Files, index);
    }

    /// <summary>Opens files that belong together without an index.</summary>
    public static Checkpoint OpenAll(string path, IEnumerable<string> files) => Combine(path, [.. files.Select(CheckpointFile.Read)], [], null, Config(path));

    private static Checkpoint OpenShards(string path, ShardName name) =>
        OpenPresent(path, Folder(path), [.. Enumerable.Range(1, name.Count).Select(number => (name with { Number = number }).ToString())], null);

    private static Checkpoint OpenPresent(string path, string folder, ImmutableArray<string> names, ShardIndex? index)
    {
        var (present, missing) = (ImmutableArray.CreateBuilder<CheckpointFile>(), ImmutableArray.CreateBuilder<string>());
        foreach (var name in names)
        {
            var file = Path.Combine(folder, name);
            if (File.Exists(file))
                present.Add(CheckpointFile.Read(file) with { Name = name });
            else
                missing.Add(file);
        }
        return Combine(path, present.DrainToImmutable(), missing.DrainToImmutable(), index, Config(path));
    }

    private static string Folder(string path) => Path.GetDirectoryName(path) ?? "";

    private static string? Config(string path)
    {
        var config = Path.Combine(Directory.Exists(path) ? path : Folder(path), "config.json");
        return File.Exists(config) ? config : null;
    }

    /// <summary>Joins files that were read, wherever they are, and compares what they say about each other.</summary>
    internal static Checkpoint Combine(string path, ImmutableArray<CheckpointFile> files, ImmutableArray<string> missing, ShardIndex? index, string? configPath)
    {
        var problems = new List<string>();
        if (!missing.IsEmpty)
            problems.Add($"{missing.Length:N0} of {missing.Length + files.Length:N0} files are missing: {Examples(missing.Select(Path.GetFileName))}");
        var tensors = Merge(files, problems);
        if (files.Select(file => file.Format).Distinct().Count() > 1)
            problems.Add($"the files are of different formats: {string.Join(", ", files.Select(file => $"{file.Name} is {file.Format}"))}");
        var ggufs = files.Select(file => file.Gguf).OfType<GgufHeader>().ToList();
        problems.AddRange(GgufSplit.Problems(ggufs, isComplete: missing.IsEmpty));

        var checkpoint = new Checkpoint
        {
            Path = path,
            Format = files.IsEmpty ? FormatOf(index) : files[0].Format,
            Files = [.. files.Select(file => file.Path)],
            Tensors = tensors,
            Gguf = GgufSplit.First(ggufs)?.Metadata,
            GgufVersion = GgufSplit.First(ggufs)?.Version,
            Index = index,
            Metadata = files.IsEmpty ? ImmutableDictionary<string, string>.Empty : files[0].Metadata,
            ConfigPath = configPath,
            MissingFiles = missing,
        };
        if (index is not null)
            CompareWithIndex(index, checkpoint, files, problems);
        return checkpoint with { Problems = [.. problems] };
    }

    private static CheckpointFormat FormatOf(ShardIndex? index) =>
        index?.Path.Contains(".safetensors", StringComparison.OrdinalIgnoreCase) == false ? CheckpointFormat.PyTorch : CheckpointFormat.Safetensors;

    private static ImmutableArray<TensorHeader> Merge(ImmutableArray<CheckpointFile> files, List<string> problems)
    {
        if (files is [var only])
            return only.Tensors;
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        var merged = ImmutableArray.CreateBuilder<TensorHeader>();
        var repeated = new List<string>();
        foreach (var tensor in files.SelectMany(file => file.Tensors))
        {
            if (seen.TryAdd(tensor.Name, tensor.File))
                merged.Add(tensor);
            else
                repeated.Add($"{tensor.Name} in {Path.GetFileName(seen[tensor.Name])} and {Path.GetFileName(tensor.File)}");
        }
        if (repeated.Count > 0)
            problems.Add($"{repeated.Count:N0} tensors are in several files, of which the first counts: {Examples(repeated)}");
        return merged.DrainToImmutable();
    }

    private static void CompareWithIndex(ShardIndex index, Checkpoint checkpoint, ImmutableArray<CheckpointFile> files, List<string> problems)
    {
        var indexName = Path.GetFileName(index.Path);
        var names = files.ToDictionary(file => file.Path, file => file.Name, StringComparer.Ordinal);
        var nameOf = checkpoint.Tensors.ToDictionary(tensor => tensor.Name, tensor => names[tensor.File], StringComparer.Ordinal);
        var readNames = names.Values.ToHashSet(StringComparer.Ordinal);
        var absent = index.WeightMap.Where(pair => readNames.Contains(pair.Value) && nameOf.GetValueOrDefault(pair.Key) != pair.Value)
            .Select(pair => $"{pair.Key} in {pair.Value}").Order(StringComparer.Ordinal).ToList();
        if (absent.Count > 0)
            problems.Add($"{absent.Count:N0} tensors are not in the file where {indexName} places them: {Examples(absent)}");
        var unlisted = checkpoint.Tensors.Where(tensor => !index.WeightMap.ContainsKey(tensor.Name)).Select(tensor => tensor.Name).ToList();
        if (unlisted.Count > 0)
            problems.Add($"{unlisted.Count:N0} tensors are not listed in {indexName}: {Examples(unlisted)}");
        if (checkpoint.MissingFiles.IsEmpty && index.TotalSize is { } total && total != checkpoint.StoredBytes)
            problems.Add($"{indexName} gives a total_size of {total:N0} bytes, the files hold {checkpoint.StoredBytes:N0}");
    }

    /// <summary>The first of many names, so that a message stays readable.</summary>
    public static string Examples(IEnumerable<string?> names, int limit = 3)
    {
        var all = names.ToList();
        return string.Join(", ", all.Take(limit)) + (all.Count > limit ? ", …" : "");
    }
}
