using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Calibration;

/// <summary>A comparison while it is made.</summary>
internal sealed class CalibrationDraft
{
    private readonly List<CalibrationTerm> terms = [];
    private readonly List<string> findings = [];
    private readonly List<(string Constant, long Low, long High)> measured = [];

    /// <summary>Adds a term whose logged parts add up; nothing when the log has none.</summary>
    public void AddSum(string name, ByteRange planned, IEnumerable<LoggedSize> parts)
    {
        var list = parts.ToList();
        if (list.Count > 0)
            terms.Add(new(name, planned, list.Sum(part => part.Bytes), list.Sum(part => part.Rounding)));
    }

    /// <summary>Adds a term that every device has: the fullest counts.</summary>
    public void AddLargest(string name, ByteRange planned, IEnumerable<LoggedSize> parts)
    {
        if (parts.MaxBy(part => part.Bytes) is { } largest)
            terms.Add(new(name, planned, largest.Bytes, largest.Rounding));
    }

    /// <summary>Adds a term that is a constant of the engine, and what the devices say of it.</summary>
    public void AddConstant(string name, string constant, ByteRange planned, IEnumerable<LoggedSize> parts)
    {
        var list = parts.ToList();
        if (list.MaxBy(part => part.Bytes) is not { } largest)
            return;
        terms.Add(new(name, planned, largest.Bytes, largest.Rounding) { Constant = constant });
        measured.Add((constant, list.Min(part => part.Bytes), largest.Bytes));
    }

    public void AddFinding(string finding) => findings.Add(finding);

    /// <summary>A setting that the log states otherwise than the plan.</summary>
    public void CompareSetting(string what, string? logged, string planned, string option)
    {
        if (logged is not null && logged != planned)
            findings.Add($"the log ran with {what} {logged}, the plan has {planned}: add {option}");
    }

    public void CompareCount(string what, string? logged, long planned, string option)
    {
        if (long.TryParse(logged, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            CompareSetting(what, count.ToString(CultureInfo.InvariantCulture), planned.ToString(CultureInfo.InvariantCulture), string.Create(CultureInfo.InvariantCulture, $"{option} {count}"));
    }

    public CalibrationReport ToReport(EngineLog log, EngineProfile engine, DateOnly date)
    {
        if (terms.Count == 0)
            throw new EngineLogException($"{log.Path}: nothing in it is a term of this plan (found: {string.Join(", ", log.Sizes.Select(size => $"{size.Term} {size.Place}").Distinct().Take(8))})");
        foreach (var term in terms.Where(term => term.Constant is null && term.Verdict == CalibrationVerdict.Outside))
            findings.Add(string.Create(CultureInfo.InvariantCulture, $"{term.Name}: the plan says {new ByteSize(term.Planned.Expected)}, the log {new ByteSize(term.Logged)} ({term.Error:+0.0%;-0.0%}); {Advice(term.Name, log)}"));
        var source = string.Create(CultureInfo.InvariantCulture, $"calibrated from {Path.GetFileName(log.Path)} on {date:yyyy-MM-dd}");
        return new()
        {
            Log = log,
            Terms = [.. terms],
            Findings = [.. findings],
            Corrections = [.. measured.Where(value => engine.Bytes(value.Constant).Expected != value.High).Select(value => Correct(value.Constant, value.Low, value.High))],
        };

        EngineCorrection Correct(string constant, long low, long high)
        {
            var known = engine.Bytes(constant);
            return new(engine.Id, engine.Since, constant, new(Math.Min(known.Low, low), high, Math.Max(known.High, high)), source);
        }
    }

    private static string Advice(string term, EngineLog log) => term.StartsWith("weights", StringComparison.Ordinal)
        ? log.Setting("quant") is { } quant ? $"the file of the log is {quant}: another model or precision was planned" : "another model or precision was planned"
        : "a formula, not calibrated: see the settings above, or report it with --export-case";
}
