namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Models of the hub whose weights are already on this machine.</summary>
public static class HubSnapshot
{
    private static readonly string[] WeightEndings = [".safetensors", ".gguf", ".bin", ".pt", ".pth"];

    /// <summary>The folder of the cached snapshot that holds the weights; null when the cache has none. Asks no server.</summary>
    /// <param name="name"><c>org/name</c> or <c>org/name@revision</c>.</param>
    public static string? Find(HubSettings settings, string name)
    {
        if (!HubReference.TryParse(name, out var reference))
            return null;
        var cache = new HubCache(settings.Cache, settings.Symlinks);
        if (cache.FindCommit(reference.Repository, reference.Revision) is not { } commit)
            return null;
        return cache.Files(reference.Repository, commit).Any(file => WeightEndings.Contains(Path.GetExtension(file.Path)))
            ? Path.Combine(settings.Cache, HubCache.FolderName(reference.Repository), "snapshots", commit)
            : null;
    }
}
