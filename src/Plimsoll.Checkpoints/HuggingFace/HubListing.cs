using System.Collections.Immutable;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>A file in a repository.</summary>
/// <param name="Path">Relative to the repository, with forward slashes.</param>
/// <param name="Size">Bytes of the file itself, not of the pointer that git keeps; null when the hub does not tell.</param>
/// <param name="ETag">The content's hash: SHA-256 of large files, git's SHA-1 of small ones; null when the hub does not tell.</param>
public sealed record HubFile(string Path, long? Size, string? ETag);

/// <summary>What a repository holds at a commit.</summary>
internal sealed record HubListing(string Commit, ImmutableArray<HubFile> Files)
{
    /// <summary>The largest repositories (a file per checkpoint step) list some ten thousand files, 200 bytes each.</summary>
    public const int MaxBytes = 32 << 20;

    /// <summary>Reads the answer of <c>/api/models/REPO/revision/REVISION?blobs=true</c>.</summary>
    /// <exception cref="CheckpointFormatException">It is no such answer.</exception>
    public static HubListing Parse(string path, ReadOnlyMemory<byte> json)
    {
        var info = ModelConfig.Parse(path, json);
        var commit = info.RequireString("sha");
        if (!IsCommit(commit))
            throw info.Refuse("sha", "a commit of 40 hexadecimal digits");
        var files = ImmutableArray.CreateBuilder<HubFile>();
        if (info.Value("siblings") is { ValueKind: System.Text.Json.JsonValueKind.Array } siblings)
        {
            foreach (var sibling in siblings.EnumerateArray())
            {
                if (sibling.ValueKind != System.Text.Json.JsonValueKind.Object)
                    throw info.Refuse("siblings", "an array of objects");
                var file = info.Nested(sibling);
                var large = file.Object("lfs");
                var name = file.RequireString("rfilename");
                // A name that leaves its folder is no file of ours, whoever sends it.
                if (IsSafePath(name))
                    files.Add(new(name, large?.Integer("size") ?? file.Integer("size"), large?.String("sha256", "oid") ?? file.String("blobId")));
            }
        }
        return new(commit, files.ToImmutable());
    }

    public HubFile? Find(string path) => Files.FirstOrDefault(file => file.Path == path);

    public static bool IsCommit(string text) => text.Length == 40 && text.All(char.IsAsciiHexDigitLower);

    public static bool IsSafePath(string path) =>
        path.Length is > 0 and <= 1024 && !path.Contains('\\') && !path.Contains(':') && !path.Contains('\0')
        && path.Split('/').All(part => part.Length > 0 && part is not ("." or ".."));
}
