using System.Globalization;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>A grammar of one pattern, whose groups are amounts and numbers.</summary>
/// <param name="pattern">Matched against <see cref="LogText.Flat"/>.</param>
/// <param name="describe">Adds what the groups say to the event.</param>
internal sealed class PatternGrammar(string family, string program, MemoryKind kind, Regex pattern, Func<OutOfMemoryEvent, Match, OutOfMemoryEvent>? describe = null) : IMessageGrammar
{
    public IEnumerable<OutOfMemoryEvent> Find(LogText log)
    {
        foreach (Match match in pattern.Matches(log.Flat))
        {
            var found = new OutOfMemoryEvent
            {
                Family = family,
                Program = program,
                Kind = kind,
                Rank = log.RankAt(match.Index),
                Line = log.LineAt(match.Index),
                Position = match.Index,
                Quote = Quotes.Sentence(match.Value),
                Device = Number(match, "device") is { } device ? (int)device : null,
                Ledger = new() { Requested = Bytes(match, "requested"), Total = Bytes(match, "total"), Free = Bytes(match, "free"), Allocated = Bytes(match, "allocated"), Allowed = Bytes(match, "allowed") },
            };
            yield return describe?.Invoke(found, match) ?? found;
        }
    }

    public static Amount? Bytes(Match match, string name) => match.Groups[name] is { Success: true } group ? Amount.Parse(group.Value) : null;

    public static long? Number(Match match, string name) =>
        match.Groups[name] is { Success: true } group && long.TryParse(group.Value.Replace(",", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    public static double? Fraction(Match match, string name) =>
        match.Groups[name] is { Success: true } group && double.TryParse(group.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
}
