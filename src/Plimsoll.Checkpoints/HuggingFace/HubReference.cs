using System.Diagnostics.CodeAnalysis;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>A model on the hub as the user types it: <c>org/name</c>, <c>org/name@revision</c>, <c>org/name:Q4_K_M</c>.</summary>
/// <param name="Repository"><c>org/name</c>.</param>
/// <param name="Revision">A branch, a tag or a commit.</param>
/// <param name="Tag">Which of several GGUF files, in the manner of llama.cpp's <c>-hf</c>; null when the user left it open.</param>
public sealed record HubReference(string Repository, string Revision, string? Tag)
{
    public const string DefaultRevision = "main";

    /// <summary>Limit of the hub (huggingface_hub, <c>validate_repo_id</c>).</summary>
    private const int MaxRepositoryLength = 96;

    /// <summary>Whether the text has the form of a model on the hub; says nothing about whether it exists.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out HubReference? reference)
    {
        reference = null;
        var rest = text.AsSpan();
        string? tag = null;
        // The repository and a git revision hold no colon, so the first one starts the tag.
        if (rest.IndexOf(':') is >= 0 and var colon)
        {
            tag = rest[(colon + 1)..].ToString();
            rest = rest[..colon];
        }
        var revision = DefaultRevision;
        if (rest.IndexOf('@') is >= 0 and var at)
        {
            revision = rest[(at + 1)..].ToString();
            rest = rest[..at];
        }
        if (!IsRepository(rest) || !IsRevision(revision) || tag is { } given && !IsTag(given))
            return false;
        reference = new(rest.ToString(), revision, tag);
        return true;
    }

    public override string ToString() => Repository + (Revision == DefaultRevision ? "" : $"@{Revision}") + (Tag is null ? "" : $":{Tag}");

    private static bool IsRepository(ReadOnlySpan<char> text)
    {
        var slash = text.IndexOf('/');
        return slash > 0 && text.Length <= MaxRepositoryLength
            && IsName(text[..slash]) && IsName(text[(slash + 1)..])
            && !text.Contains("--", StringComparison.Ordinal) && !text.Contains("..", StringComparison.Ordinal)
            && !text.EndsWith(".git", StringComparison.Ordinal);
    }

    private static bool IsName(ReadOnlySpan<char> text)
    {
        foreach (var letter in text)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_' or '.'))
                return false;
        }
        return text.Length > 0 && text[0] is not ('-' or '.') && text[^1] is not ('-' or '.');
    }

    /// <summary>The part of git's rules that keeps a revision from leaving its folder in the cache.</summary>
    private static bool IsRevision(string text) => text.Length is > 0 and <= 255 && text[0] != '/' && text[^1] != '/'
        && !text.Contains("..", StringComparison.Ordinal) && !text.Contains("//", StringComparison.Ordinal) && !text.Contains("/.", StringComparison.Ordinal) && text[0] != '.'
        && text.All(letter => letter > ' ' && letter != '\x7f' && !@"\~^:?*[@".Contains(letter));

    private static bool IsTag(string text) => text.Length is > 0 and <= 64 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');
}
