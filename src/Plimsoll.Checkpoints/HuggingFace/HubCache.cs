namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>The cache that all Hugging Face tools share, read and written as huggingface_hub does.</summary>
/// <remarks>
/// <code>
/// models--org--name/refs/main                      the commit of a branch or tag
/// models--org--name/blobs/ETAG                     the content
/// models--org--name/snapshots/COMMIT/config.json   a relative link to its blob
/// models--org--name/.no_exist/COMMIT/FILE          empty: the file is not in that commit
/// </code>
/// Source: huggingface_hub, docs "Understand caching" and file_download.py. Only whole files are written: others take a blob for complete.
/// Writing is a favour to later runs: a cache that cannot be written is no failure. Like huggingface_hub, writers rely on unique temporary
/// names and atomic renames; its lock files only save a second download, and the files here are small.
/// </remarks>
internal sealed class HubCache(string root, bool symlinks)
{
    /// <summary>Cache Directory Tagging Standard: tells backup tools that the folder can be fetched again.</summary>
    private const string CacheTag = "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by huggingface_hub.\n# For information about cache directory tags see https://bford.info/cachedir/\n";

    public string Root { get; } = root;

    /// <summary>The commit that the cache knows for a revision; null when it knows none.</summary>
    public string? FindCommit(string repository, string revision)
    {
        if (HubListing.IsCommit(revision))
            return revision;
        var path = Path.Combine(Folder(repository), "refs", Local(revision));
        return File.Exists(path) && File.ReadAllText(path).Trim() is var commit && HubListing.IsCommit(commit) ? commit : null;
    }

    /// <summary>The path of a cached file; null when it is not there.</summary>
    public string? FindFile(string repository, string commit, string file)
    {
        var path = Path.Combine(Folder(repository), "snapshots", commit, Local(file));
        return File.Exists(path) ? path : null;
    }

    /// <summary>Somebody asked the hub for this file before and it is not in the commit.</summary>
    public bool IsKnownMissing(string repository, string commit, string file) =>
        File.Exists(Path.Combine(Folder(repository), ".no_exist", commit, Local(file)));

    /// <summary>The files of a snapshot, which may be fewer than the commit has.</summary>
    public IEnumerable<HubFile> Files(string repository, string commit)
    {
        var snapshot = Path.Combine(Folder(repository), "snapshots", commit);
        if (!Directory.Exists(snapshot))
            yield break;
        foreach (var path in Directory.EnumerateFiles(snapshot, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var target = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? new FileInfo(path);
            if (target.Exists)
                yield return new(Path.GetRelativePath(snapshot, path).Replace(Path.DirectorySeparatorChar, '/'), target.Length, null);
        }
    }

    /// <summary>Remembers the commit of a branch or tag.</summary>
    /// <remarks>
    /// Not where the cache has the weights of an older commit: somebody may run them offline, through this very entry, and asking what a model
    /// needs must not take it away. (huggingface_hub moves the entry whenever a newer file is fetched.)
    /// </remarks>
    public void StoreRef(string repository, string revision, string commit) => TryWrite(() =>
    {
        if (revision == commit)
            return;
        var old = FindCommit(repository, revision);
        if (old is null || old != commit && !Files(repository, old).Any(IsWeights))
            Replace(Path.Combine(Folder(repository), "refs", Local(revision)), System.Text.Encoding.ASCII.GetBytes(commit), "tmp");
    });

    /// <summary>Remembers that a commit lacks a file.</summary>
    public void StoreMissing(string repository, string commit, string file) => TryWrite(() =>
    {
        var path = Path.Combine(Folder(repository), ".no_exist", commit, Local(file));
        if (!File.Exists(path))
            Replace(path, [], "tmp");
    });

    /// <summary>Puts a whole file into a snapshot.</summary>
    /// <param name="etag">The hub's hash of the content, which names the blob. One that makes no file name is not stored.</param>
    public void StoreFile(string repository, string commit, string file, string? etag, byte[] content) => TryWrite(() =>
    {
        if (etag is null || !IsBlobName(etag) || FindFile(repository, commit, file) is not null)
            return;
        Tag();
        var blob = Path.Combine(Folder(repository), "blobs", etag);
        var pointer = Path.Combine(Folder(repository), "snapshots", commit, Local(file));
        if (!symlinks)
        {
            Replace(pointer, content, "incomplete");
            return;
        }
        if (!File.Exists(blob))
            Replace(blob, content, "incomplete");
        Directory.CreateDirectory(Path.GetDirectoryName(pointer)!);
        try
        {
            // A broken link may be in the way.
            File.Delete(pointer);
            File.CreateSymbolicLink(pointer, Path.GetRelativePath(Path.GetDirectoryName(pointer)!, blob));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or PlatformNotSupportedException && !File.Exists(pointer))
        {
            File.Copy(blob, pointer);
        }
    });

    /// <summary>Letters, digits, '-', '_' and inner dots: what hashes consist of, and nothing that leaves the folder.</summary>
    public static bool IsBlobName(string etag) =>
        etag.Length is > 0 and <= 128 && etag[0] != '.' && etag.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');

    /// <summary>Writes to a temporary name in the same folder and renames, so that nobody sees half a file.</summary>
    internal static void Replace(string path, byte[] content, string suffix)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Guid.NewGuid().ToString("N")[..8]}.{suffix}";
        try
        {
            File.WriteAllBytes(temporary, content);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    internal static void TryWrite(Action write)
    {
        try
        {
            write();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Full, read-only or somebody else's: the next run fetches again.
        }
    }

    private static bool IsWeights(HubFile file) => Path.GetExtension(file.Path) is ".safetensors" or ".gguf" or ".bin" or ".pt" or ".pth";

    private void Tag()
    {
        var path = Path.Combine(Root, "CACHEDIR.TAG");
        if (!File.Exists(path))
            Replace(path, System.Text.Encoding.ASCII.GetBytes(CacheTag), "tmp");
    }

    internal static string FolderName(string repository) => "models--" + repository.Replace("/", "--", StringComparison.Ordinal);

    private string Folder(string repository) => Path.Combine(Root, FolderName(repository));

    private static string Local(string path) => path.Replace('/', Path.DirectorySeparatorChar);
}
