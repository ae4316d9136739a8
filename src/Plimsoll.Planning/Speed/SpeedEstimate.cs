using System.Collections.Immutable;

namespace Plimsoll.Planning.Speed;

/// <summary>Tokens per second: the expected figure, and bounds within which nine of ten measurements lie.</summary>
public sealed record SpeedEstimate(double Low, double Expected, double High)
{
    /// <summary>Where the time of one step goes, in order.</summary>
    public ImmutableArray<SpeedTerm> Terms { get; init; } = [];

    /// <summary>Why the bounds are wider than usual: a format or GPU family that no measurement covers.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];
}

/// <summary>One part of a step's time.</summary>
/// <param name="Seconds">Its share of one step; parts that overlap do not add up to the step.</param>
public sealed record SpeedTerm(string Name, double Seconds, string Formula);

/// <summary>An estimate, or the reason why there is none.</summary>
public sealed record SpeedResult(SpeedEstimate? Estimate, string? Reason)
{
    internal static SpeedResult Refused(string reason) => new(null, reason);
}
