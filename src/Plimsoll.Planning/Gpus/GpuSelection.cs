using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Gpus;

/// <summary>What a user means by <c>--gpu</c>: one kind of GPU, and how many of it.</summary>
public sealed record GpuSelection(GpuSpec Gpu, int Count)
{
    /// <summary>More GPUs of one kind than any machine or pod has; beyond it is a typing mistake.</summary>
    public const int MaxCount = 100_000;

    /// <summary>The word that means the GPUs of this machine; see <see cref="LocalGpus"/>.</summary>
    public const string Local = "local";

    /// <summary>Reads <c>rtx-3090</c>, <c>2x rtx-3090</c>, <c>8xH100</c>, <c>rtx-4090 x2</c>, <c>24GiB</c>, <c>2x24GiB</c>.</summary>
    /// <exception cref="UnknownGpuException">No GPU of the catalog has this name and it is no memory size.</exception>
    public static GpuSelection Parse(string text, GpuCatalog catalog)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(catalog);
        // The whole text first: a user's catalog may call a GPU "2x something".
        if (catalog.Find(text) is { } whole)
            return new(whole, 1);
        var (count, name) = SplitCount(text.Trim());
        if (catalog.Find(name) is { } gpu)
            return new(gpu, count);
        if (name.Length > 0 && char.IsAsciiLetter(name[^1]) && ByteSize.TryParse(name, out var size) && size > ByteSize.Zero)
            return new(GpuSpec.FromMemory(size), count);
        throw new UnknownGpuException(name, catalog.Suggest(name));
    }

    private static (int Count, string Name) SplitCount(string text)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits > 0)
        {
            var rest = text.AsSpan(digits).TrimStart();
            if (rest.Length > 1 && IsTimes(rest[0]) && TryCount(text.AsSpan(0, digits), out var count))
                return (count, rest[1..].Trim().ToString());
        }
        var tail = text.Length - 1 - text.AsSpan().LastIndexOfAnyExceptInRange('0', '9');
        var head = text.AsSpan(0, text.Length - tail).TrimEnd();
        // "rtx-4090 x2", "4090 24GB * 4": a blank before the sign, so that RTX or MAX is never cut.
        return tail > 0 && head.Length > 2 && IsTimes(head[^1]) && (head[^1] == '*' || head[^2] == ' ') && TryCount(text.AsSpan(text.Length - tail), out var behind)
            ? (behind, head[..^1].Trim().ToString())
            : (1, text);
    }

    private static bool IsTimes(char sign) => sign is 'x' or 'X' or '*' or '\u00d7';

    private static bool TryCount(ReadOnlySpan<char> digits, out int count) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count is >= 1 and <= MaxCount;

    public override string ToString() => Count == 1 ? Gpu.Name : $"{Count}x {Gpu.Name}";
}

/// <summary>A GPU name that the catalog does not know.</summary>
public sealed class UnknownGpuException(string name, IReadOnlyList<string> suggestions) : Exception(
    suggestions.Count == 0 ? $"unknown GPU '{name}'" : $"unknown GPU '{name}'; did you mean {string.Join(" or ", suggestions)}?")
{
    public string Name { get; } = name;

    public IReadOnlyList<string> Suggestions { get; } = suggestions;
}
