using System.Collections.Immutable;
using System.Globalization;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>One of the quantizations that a GGUF repository offers: one file, or the parts of a split one.</summary>
/// <param name="Tag">What to write behind the colon: <c>Q4_K_M</c>, <c>UD-Q4_K_XL</c>; the file's name where it has no such part.</param>
/// <param name="Files">In order of the parts.</param>
public sealed record GgufChoice(string Tag, ImmutableArray<HubFile> Files)
{
    /// <summary>Null when the hub does not tell.</summary>
    public long? Bytes => Files.Any(file => file.Size is null) ? null : Files.Sum(file => file.Size!.Value);

    /// <summary>Names that mark companions of a model: projectors, importance matrices, draft models (llama.cpp, common/download.cpp).</summary>
    private static readonly string[] Companions = ["mmproj", "imatrix", "mtp-", "eagle3-", "dflash-", "dspark-"];

    /// <summary>The choices in a repository, in the order of their names.</summary>
    public static ImmutableArray<GgufChoice> Find(IEnumerable<HubFile> files) =>
    [
        .. files.Where(IsModel)
            .Select(file => (File: file, Name: GgufFileName.Parse(file.Path)))
            .GroupBy(pair => (pair.Name.Stem, pair.Name.Parts))
            .OrderBy(group => group.Key.Stem, StringComparer.Ordinal)
            .Select(group => new GgufChoice(group.First().Name.Tag, [.. group.OrderBy(pair => pair.Name.Part).Select(pair => pair.File)]))
            .Where((choice, _) => choice.Files.Length == GgufFileName.Parse(choice.Files[0].Path).Parts),
    ];

    /// <summary>Whether the user's tag means this choice: it stands in the name as a whole word, case-insensitively.</summary>
    public bool Matches(string tag)
    {
        var path = Files[0].Path;
        for (var at = path.IndexOf(tag, StringComparison.OrdinalIgnoreCase); at >= 0; at = path.IndexOf(tag, at + 1, StringComparison.OrdinalIgnoreCase))
        {
            var end = at + tag.Length;
            if ((at == 0 || path[at - 1] is '-' or '.' or '_' or '/') && end < path.Length && path[end] is '-' or '.' or '/')
                return true;
        }
        return false;
    }

    private static bool IsModel(HubFile file)
    {
        var name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        return name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && !Companions.Any(companion => name.Contains(companion, StringComparison.OrdinalIgnoreCase));
    }
}

/// <summary>The parts of a GGUF file's name: <c>folder/Model-Q4_K_M-00001-of-00003.gguf</c>.</summary>
/// <param name="Stem">Without part number and extension.</param>
/// <param name="Part">From 1.</param>
internal readonly record struct GgufFileName(string Stem, string Tag, int Part, int Parts)
{
    private const int PartSuffixLength = 15; // -00001-of-00003

    public static GgufFileName Parse(string path)
    {
        var stem = path[..^".gguf".Length];
        var (part, parts) = (1, 1);
        if (stem.Length > PartSuffixLength && stem[^PartSuffixLength] == '-' && stem[^9..^5] == "-of-"
            && int.TryParse(stem.AsSpan(stem.Length - 14, 5), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && int.TryParse(stem.AsSpan(stem.Length - 5), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            (part, parts) = (number, count);
            stem = stem[..^PartSuffixLength];
        }
        return new(stem, FindTag(stem), part, parts);
    }

    /// <summary>The last part of the name behind '-' or '.', if it looks like a format (letters, digits, '_', at least one digit).</summary>
    private static string FindTag(string stem)
    {
        var name = stem[(stem.LastIndexOf('/') + 1)..];
        var cut = name.LastIndexOfAny(['-', '.']);
        var tag = name[(cut + 1)..];
        if (cut < 0 || !tag.Any(char.IsAsciiDigit) || !tag.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_'))
            return name;
        tag = tag.ToUpperInvariant();
        // Unsloth's "dynamic" mixes: Q4_K_XL would name two different files.
        return name[..cut].EndsWith("-UD", StringComparison.OrdinalIgnoreCase) ? "UD-" + tag : tag;
    }
}
