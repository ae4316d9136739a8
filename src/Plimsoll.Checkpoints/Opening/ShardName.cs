using System.Text.RegularExpressions;

namespace Plimsoll.Checkpoints.Opening;

/// <summary>A file name such as <c>model-00002-of-00005.safetensors</c>.</summary>
/// <param name="Number">Counted from 1.</param>
/// <param name="Extension">With its dot.</param>
internal sealed partial record ShardName(string Stem, int Number, int Count, string Extension)
{
    public override string ToString() => $"{Stem}-{Number:D5}-of-{Count:D5}{Extension}";

    /// <summary>Reads the name of a file that is one of several; null for any other name.</summary>
    public static ShardName? Parse(string fileName)
    {
        var match = Pattern().Match(fileName);
        if (!match.Success)
            return null;
        var (number, count) = (int.Parse(match.Groups[2].ValueSpan), int.Parse(match.Groups[3].ValueSpan));
        return number >= 1 && number <= count ? new(match.Groups[1].Value, number, count, match.Groups[4].Value) : null;
    }

    [GeneratedRegex(@"^(.+)-([0-9]{5})-of-([0-9]{5})(\.[a-z]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
