namespace Plimsoll.Planning.Gpus;

/// <summary>How a catalog value came about.</summary>
public enum SourceMark
{
    /// <summary>The source says exactly this.</summary>
    Cited,

    /// <summary>A stated rule made it from other values.</summary>
    Derived,

    /// <summary>Sources disagree; the note names the other value.</summary>
    Conflict,
}

/// <summary>A figure of the catalog together with where it comes from.</summary>
/// <param name="Source">The source in words: a repository and path, the manufacturer, or a rule.</param>
/// <param name="Note">What the other source says, where sources disagree.</param>
public sealed record Sourced(double Value, string Source, SourceMark Mark = SourceMark.Cited, string? Note = null);

/// <summary>What renting one GPU costs.</summary>
/// <param name="Kind"><c>on-demand</c> or <c>spot</c>.</param>
/// <param name="AsOf">The day the price was read, as <c>2026-08-19</c>; null when the source has no date.</param>
public sealed record RentalPrice(double UsdPerHour, string Provider, string Kind, string? AsOf, string Source);
