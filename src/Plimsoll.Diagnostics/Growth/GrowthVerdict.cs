using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Growth;

/// <summary>What a series of memory does.</summary>
public enum GrowthShape
{
    /// <summary>Too few samples to say anything.</summary>
    InsufficientData,

    /// <summary>No direction: still, noisy, or wandering.</summary>
    Flat,

    /// <summary>Rises and comes back to where it was.</summary>
    Sawtooth,

    /// <summary>Rose and levels off: warm-up, caches that fill, preallocation.</summary>
    Saturating,

    /// <summary>Rises, but not steadily enough to say that it will not stop; or it rises for a reason that is known.</summary>
    Growing,

    /// <summary>Its lowest points rise steadily, part for part of the run, with no sign of levelling off.</summary>
    Leak,
}

/// <summary>The verdict over one series, and what it rests on.</summary>
/// <param name="Evidence">The tests with their numbers.</param>
/// <param name="Slope">Bytes per unit of the axis, from the troughs; null unless it grows.</param>
/// <param name="Steps">Set where it grows in equal steps.</param>
/// <param name="Forecast">When the ceiling is reached; null unless it grows and a ceiling is known.</param>
public sealed record GrowthVerdict(
    MemorySeries Series, GrowthShape Shape, Certainty Certainty, ImmutableArray<string> Evidence, SlopeInterval? Slope, Staircase? Steps, CeilingForecast? Forecast)
{
    public bool IsProblem => Shape is GrowthShape.Leak or GrowthShape.Growing;
}
