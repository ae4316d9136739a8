namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>What this product keeps for itself: the first bytes of files too big to download, and listings of commits.</summary>
/// <remarks>The shared cache is no place for them: a blob there counts as the whole file.</remarks>
internal sealed class HubHeaderStore(string root)
{
    /// <summary>The first bytes of the file with this hash; null when none are stored.</summary>
    public byte[]? FindPrefix(HubFile file) => PrefixPath(file) is { } path ? Read(path, HubLimits.MaxHeaderBytes) : null;

    public void StorePrefix(HubFile file, byte[] prefix) => HubCache.TryWrite(() =>
    {
        if (PrefixPath(file) is { } path)
            HubCache.Replace(path, prefix, "tmp");
    });

    /// <summary>The hub's answer about a commit, as it came.</summary>
    public byte[]? FindListing(string repository, string commit) => Read(ListingPath(repository, commit), HubListing.MaxBytes);

    public void StoreListing(string repository, string commit, byte[] json) =>
        HubCache.TryWrite(() => HubCache.Replace(ListingPath(repository, commit), json, "tmp"));

    private static byte[]? Read(string path, long limit)
    {
        try
        {
            return new FileInfo(path) is { Exists: true } file && file.Length <= limit ? File.ReadAllBytes(path) : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private string? PrefixPath(HubFile file) => file.ETag is { } etag && HubCache.IsBlobName(etag) ? Path.Combine(root, "headers", etag) : null;

    private string ListingPath(string repository, string commit) => Path.Combine(root, "listings", HubCache.FolderName(repository), commit + ".json");
}

/// <summary>How much is fetched before a server is no longer believed.</summary>
internal static class HubLimits
{
    /// <summary>The largest real config.json (a quantization entry per layer) has 0.2 MB.</summary>
    public const long MaxConfigBytes = 10_000_000;

    /// <summary>100,000 tensors of 100 bytes each: the largest real index has 9 MB.</summary>
    public const long MaxIndexBytes = 100_000_000;

    /// <summary>The cap of the safetensors format; GGUF headers with their vocabulary take up to 20 MB.</summary>
    public const long MaxHeaderBytes = 100_000_008;

    /// <summary>Shards asked at the same time.</summary>
    public const int Concurrency = 8;
}
