using System.Globalization;
using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>A grammar of one pattern, whose groups are amounts and numbers: <c>requested</c>, <c>total</c>, <c>free</c>, <c>allocated</c> and <c>allowed</c> with a unit;
/// <c>size</c>, <c>left</c> and <c>limit</c> as a count of bytes; <c>device</c>.</summary>
/// <param name="pattern">Matched against <see cref="LogText.Flat"/>.</param>
/// <param name="describe">Adds what other groups say to the event.</param>
/// <param name="backend">Null where the pattern alone does not tell.</param>
internal sealed class PatternGrammar(string family, string program, MemoryKind kind, Regex pattern, Func<OutOfMemoryEvent, Match, OutOfMemoryEvent>? describe = null, string? backend = null) : IMessageGrammar
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
                Backend = backend,
                Rank = log.RankAt(match.Index),
                Line = log.LineAt(match.Index),
                Position = match.Index,
                Quote = Quotes.Sentence(match.Value),
                Device = Number(match, "device") is { } device ? (int)device : null,
                Ledger = new()
                {
                    Requested = Bytes(match, "requested") ?? Plain(match, "size"),
                    Total = Bytes(match, "total"),
                    Free = Bytes(match, "free") ?? Plain(match, "left"),
                    Allocated = Bytes(match, "allocated"),
                    Allowed = Bytes(match, "allowed") ?? Plain(match, "limit"),
                },
            };
            yield return describe?.Invoke(found, match) ?? found;
        }
    }

    public static Amount? Bytes(Match match, string name) => match.Groups[name] is { Success: true } group ? Amount.Parse(group.Value) : null;

    public static long? Number(Match match, string name) =>
        match.Groups[name] is { Success: true } group && long.TryParse(group.Value.Replace(",", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    public static double? Fraction(Match match, string name) =>
        match.Groups[name] is { Success: true } group && double.TryParse(group.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static Amount? Plain(Match match, string name) => match.Groups[name] is { Success: true } digits ? Amount.Parse(digits.Value + " bytes") : null;
}
