using System.Collections.Immutable;

namespace Plimsoll.Diagnostics;

/// <summary>How sure a finding is.</summary>
public enum Certainty
{
    /// <summary>One of several explanations that the text allows.</summary>
    Low,

    /// <summary>What the text says fits no other explanation that is as common.</summary>
    Medium,

    /// <summary>The numbers leave no other explanation.</summary>
    High,
}

/// <summary>What a finding means for the reader.</summary>
public enum Severity
{
    /// <summary>Why the job failed.</summary>
    Cause,

    /// <summary>Something else that costs memory, or that the reader should know before acting.</summary>
    Note,
}

/// <summary>Something that would help.</summary>
/// <param name="Action">What to do, with the option or call that does it.</param>
/// <param name="SavesBytes">Bytes that it frees; null where the text does not tell.</param>
/// <param name="Cost">What it costs in time, quality or comfort.</param>
/// <param name="Enough">Whether it alone makes up the shortage; null where that is not known.</param>
public sealed record Fix(string Action, long? SavesBytes, string Cost, bool? Enough = null);

/// <summary>One thing that a diagnosis has found out.</summary>
/// <param name="Check">The check that found it, in kebab case.</param>
/// <param name="Message">One or two sentences.</param>
/// <param name="Evidence">Lines of the input and arithmetic on them.</param>
/// <param name="ShortageBytes">What was missing; null where the text does not tell.</param>
/// <param name="Fixes">Cheapest first.</param>
public sealed record Finding(
    string Check, Severity Severity, string Message, ImmutableArray<string> Evidence, long? ShortageBytes, Certainty Certainty, ImmutableArray<Fix> Fixes)
{
    /// <summary>How far <see cref="ShortageBytes"/> may be off, because messages round.</summary>
    public long ShortageRounding { get; init; }
}
