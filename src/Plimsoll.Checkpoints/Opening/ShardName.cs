using System.Globalization;

namespace Plimsoll.Checkpoints.Opening;

/// <summary>A file name such as <c>model-00002-of-00005.safetensors</c>.</summary>
/// <param name="Number">Counted from 1.</param>
/// <param name="Extension">With its dot.</param>
internal sealed record ShardName(string Stem, int Number, int Count, string Extension)
{
    /// <summary><c>-00002-of-00005</c>.</summary>
    private const int SuffixLength = 15;

    public override string ToString() => $"{Stem}-{Number:D5}-of-{Count:D5}{Extension}";

    /// <summary>Reads the name of a file that is one of several; null for any other name.</summary>
    public static ShardName? Parse(string fileName)
    {
        var extension = Path.GetExtension(fileName);
        var stemLength = fileName.Length - extension.Length - SuffixLength;
        if (stemLength < 1)
            return null;
        var suffix = fileName.AsSpan(stemLength, SuffixLength);
        if (suffix[0] != '-' || suffix[6..10] is not "-of-" || Digits(suffix[1..6]) is not { } number || Digits(suffix[10..]) is not { } count)
            return null;
        return number >= 1 && number <= count ? new(fileName[..stemLength], number, count, extension) : null;
    }

    private static int? Digits(ReadOnlySpan<char> text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
