using System.Text;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>A log as the message patterns want it: no colours, no prefixes of ranks and workers, wrapped messages in one piece.</summary>
public sealed partial class LogText
{
    /// <summary>A log is read to this many characters; what matters stands near its end.</summary>
    public const int MaxCharacters = 64 << 20;

    private readonly List<(int Start, int Line, int? Rank)> starts = [];
    private readonly string[] lines;

    private LogText(string[] lines)
    {
        this.lines = lines;
        var flat = new StringBuilder();
        for (var line = 0; line < lines.Length; line++)
        {
            var (text, rank) = StripPrefixes(Ansi.Replace(lines[line], ""));
            starts.Add((flat.Length, line, rank));
            flat.Append(Spaces.Replace(text, " ")).Append(' ');
        }
        Flat = flat.ToString();
    }

    /// <summary>The whole log with every run of white space, line ends included, as one space.</summary>
    public string Flat { get; }

    public IReadOnlyList<string> Lines => lines;

    public static LogText Parse(string text)
    {
        if (text.Length > MaxCharacters)
            text = text[^MaxCharacters..];
        return new(text.ReplaceLineEndings("\n").Split('\n', '\r'));
    }

    /// <summary>The number of the line, from 1, that a position of <see cref="Flat"/> comes from.</summary>
    public int LineAt(int position) => At(position).Line + 1;

    /// <summary>The rank that the line names, or the closest line before it that names one within the same traceback; null when none does.</summary>
    public int? RankAt(int position) => At(position).Rank;

    /// <summary>The lines before a line number, nearest first, as far as a traceback may reach.</summary>
    public IEnumerable<string> Before(int line, int most = 400)
    {
        for (var i = Math.Min(line, lines.Length) - 1; i >= 0 && i >= line - most; i--)
            yield return StripPrefixes(Ansi.Replace(lines[i], "")).Text;
    }

    private (int Start, int Line, int? Rank) At(int position)
    {
        var index = starts.BinarySearch((position, int.MaxValue, null), Comparer<(int Start, int Line, int? Rank)>.Create((left, right) => left.Start != right.Start ? left.Start.CompareTo(right.Start) : left.Line.CompareTo(right.Line)));
        return starts[Math.Max(0, index < 0 ? ~index - 1 : index)];
    }

    private static (string Text, int? Rank) StripPrefixes(string line)
    {
        int? rank = null;
        var text = line.AsSpan().Trim();
        for (var match = Prefix.Match(text.ToString()); match.Success && match.Length > 0; match = Prefix.Match(text.ToString()))
        {
            if (match.Groups["rank"] is { Success: true } named && int.TryParse(named.ValueSpan, out var number))
                rank = number;
            text = text[match.Length..].TrimStart();
        }
        return (text.ToString(), rank);
    }

    [GeneratedRegex(@"\x1b\[[0-9;?]*[ -/]*[@-~]|(?<![\w\]])\[\d{1,2}(?:;\d{1,2})*m", RegexOptions.CultureInvariant)]
    private static partial Regex Ansi { get; }

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Spaces { get; }

    /// <summary>What launchers, workers and loggers put before a line: ranks, process names, time stamps, levels, quotation marks of threads.</summary>
    [GeneratedRegex("""
        ^(?:
          \[?(?:default_?)?rank:?\s*(?<rank>\d+)\]?:? (?=\s)
        | \((?:[\w.]+\s+)?(?:\w+=\S+\s*)*(?:pid|rank)=\d+(?:,?\s*\w+=[\w.:]+)*\)
        | \[\d{4}-\d\d-\d\d[T\s][\d:.,]+(?:Z|\s[^\]]*)?\]
        | \d{4}-\d\d-\d\d[T\s]\d\d:\d\d:\d\d[\d.,]*Z?:?
        | (?:INFO|WARNING|ERROR|CRITICAL|DEBUG)\s+\d\d-\d\d\s+\d\d:\d\d:\d\d(?:\s+\[[^\]]*\])?
        | \d+\.\d\d\.\d{3}\.\d{3}\s+[EWIDC](?=\s)
        | >(?=\s)
        | \|(?=\s)
        )
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace | RegexOptions.IgnoreCase)]
    private static partial Regex Prefix { get; }
}
