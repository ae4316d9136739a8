using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>The line with which a shell reports that a process was killed: <c>Killed</c>, <c>job.sh: line 3: 4711 Killed python train.py</c>, <c>zsh: killed python</c>.</summary>
internal sealed partial class KilledLineGrammar : IMessageGrammar
{
    public IEnumerable<OutOfMemoryEvent> Find(LogText log)
    {
        foreach (var line in log.Lines)
        {
            if (line.Text.Contains("illed", StringComparison.Ordinal) && Pattern.IsMatch(line.Text))
                yield return new() { Family = "host-killed", Program = "the operating system", Kind = MemoryKind.Host, Rank = line.Rank, Line = line.Number, Position = line.Start, Quote = Quotes.Sentence(line.Text) };
        }
    }

    [GeneratedRegex(@"^(?:Killed(?:\s{2,}\S.*)?|zsh: killed\s+\S.*|\S+: line \d+:\s+\d+ Killed\b.*|\[\d+\]\s*[+-]?\s*\d+ killed\s.*)$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern { get; }
}
