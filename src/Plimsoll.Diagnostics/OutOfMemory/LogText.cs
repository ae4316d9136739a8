using System.Text;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>A log as the message patterns want it: no colours, no prefixes of ranks and workers, wrapped messages in one piece.</summary>
public sealed partial class LogText
{
    private readonly List<LogLine> lines = [];

    private LogText(IEnumerable<(int Number, string Raw)> raw, bool isBlank)
    {
        IsBlank = isBlank;
        var flat = new StringBuilder();
        foreach (var (number, text) in raw)
        {
            if (lines.Count > 0 && number > lines[^1].Number + 1)
                flat.Append('\n');
            var (stripped, rank) = StripPrefixes(text.Contains('[', StringComparison.Ordinal) ? Ansi.Replace(text, "") : text);
            lines.Add(new(number, flat.Length, rank, stripped));
            flat.Append(Spaces.Replace(stripped, " ")).Append(' ');
        }
        Flat = flat.ToString();
    }

    /// <summary>The log with every run of white space, line ends included, as one space. Where lines were left out it has a line end, which no pattern crosses.</summary>
    public string Flat { get; }

    /// <summary>There is nothing but white space.</summary>
    public bool IsBlank { get; }

    internal IReadOnlyList<LogLine> Lines => lines;

    /// <summary>Every line of a text.</summary>
    public static LogText Parse(string text) => new(text.Split('\n').SelectMany((line, index) => line.TrimEnd('\r').Split('\r').Select(part => (index + 1, part))), string.IsNullOrWhiteSpace(text));

    /// <summary>Several logs, one after the other. Of what is long only the lines around words of memory are kept.</summary>
    public static LogText Read(params IEnumerable<TextReader> logs)
    {
        var scan = new LogScan();
        foreach (var log in logs)
        {
            using (log)
                scan.Add(log);
        }
        return new(scan.Kept, !scan.HasText);
    }

    /// <summary>The number of the line, from 1, that a position of <see cref="Flat"/> comes from.</summary>
    public int LineAt(int position) => lines.Count == 0 ? 1 : At(position).Number;

    /// <summary>The rank that the line names; null when it names none.</summary>
    public int? RankAt(int position) => lines.Count == 0 ? null : At(position).Rank;

    /// <summary>The line of a number and those before it, nearest first, as far as a traceback may reach.</summary>
    public IEnumerable<string> Upwards(int number, int most = 400)
    {
        var index = lines.BinarySearch(new(number, 0, null, ""), LogLine.ByNumber);
        // Of several parts of a line the search finds any.
        for (index = index < 0 ? ~index - 1 : index; index + 1 < lines.Count && lines[index + 1].Number == number; index++)
        {
        }
        for (; index >= 0 && lines[index].Number > number - most; index--)
            yield return lines[index].Text;
    }

    private LogLine At(int position)
    {
        var index = lines.BinarySearch(new(0, position, null, ""), LogLine.ByStart);
        return lines[Math.Max(0, index < 0 ? ~index - 1 : index)];
    }

    private static (string Text, int? Rank) StripPrefixes(string line)
    {
        int? rank = null;
        var text = line.Trim();
        for (var match = Prefix.Match(text); match is { Success: true, Length: > 0 }; match = Prefix.Match(text))
        {
            if (match.Groups["rank"] is { Success: true } named && int.TryParse(named.ValueSpan, out var number))
                rank = number;
            text = text[match.Length..].TrimStart();
        }
        return (text, rank);
    }

    [GeneratedRegex(@"\x1b\[[0-9;?]*[ -/]*[@-~]|(?<![\w\]])\[\d{1,2}(?:;\d{1,2})*m", RegexOptions.CultureInvariant)]
    private static partial Regex Ansi { get; }

    /// <summary>White space, and the line ends that stay escaped where a message was put into JSON.</summary>
    [GeneratedRegex(@"(?:\s|\\n(?=[A-Z\s]|$))+", RegexOptions.CultureInvariant)]
    private static partial Regex Spaces { get; }

    /// <summary>What launchers, workers and loggers put before a line: ranks, process and container names, time stamps, levels, quotation marks of threads.</summary>
    [GeneratedRegex("""
        ^(?:
          \[?(?:default_?)?rank:?\s*(?<rank>\d+)\]?:?(?=\s|\[|$)
        | \[default(?<rank>\d+)\]:
        | \[\d+,(?<rank>\d+)\](?:<std(?:err|out)>:?|:)
        | \((?:[\w.]+\s+)?(?:\w+=\S+\s*)*(?:pid|rank)=\d+(?:,?\s*\w+=[\w.:]+)*\)
        | \[\d{4}-\d\d-\d\d[T\s][\d:.,]+(?:Z|\s[^\]]*)?\]
        | \[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\]
        | \d{4}[-/]\d\d[-/]\d\d[T\s]\d\d:\d\d:\d\d[\d.,]*(?:Z|[+-]\d\d:?\d\d)?:?(?=\s|$)
        | std(?:err|out)\s[FP](?=\s)
        | (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\d{1,2}\s\d\d:\d\d:\d\d\s\S+\s[\w./-]+(?:\[\d+\])?:
        | (?:[\w.-]+-\d+|\[[\w.-]+\])\s+\|(?=\s)
        | (?:INFO|WARNING|ERROR|CRITICAL|DEBUG)\s+\d\d-\d\d\s+\d\d:\d\d:\d\d(?:\s+\[[^\]]*\])?
        | \[(?:Error|ERROR|Warning|WARNING|Info|INFO|E|W)\](?:\s\(\w+\))?(?=\s)
        | \[TRT-LLM\] | \[RANK\s(?<rank>\d+)\] | \[TensorRT-LLM\]\[\w+\]
        | \d+\.\d\d\.\d{3}\.\d{3}\s+[EWIDC](?=\s)
        | >(?=\s)
        | \|(?=\s)
        )
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace | RegexOptions.IgnoreCase)]
    private static partial Regex Prefix { get; }
}

/// <summary>A line of a log.</summary>
/// <param name="Number">From 1; parts of a line that a progress bar overwrote share it.</param>
/// <param name="Start">Where it begins in <see cref="LogText.Flat"/>.</param>
/// <param name="Text">Without colours and prefixes.</param>
internal readonly record struct LogLine(int Number, int Start, int? Rank, string Text)
{
    public static IComparer<LogLine> ByNumber { get; } = Comparer<LogLine>.Create((left, right) => left.Number.CompareTo(right.Number));

    public static IComparer<LogLine> ByStart { get; } = Comparer<LogLine>.Create((left, right) => left.Start.CompareTo(right.Start));
}
