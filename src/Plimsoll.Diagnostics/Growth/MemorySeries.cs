using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Growth;

/// <summary>Whose books a series is taken from. A cause shows in which ledger grows and which does not.</summary>
public enum MemoryLedger
{
    /// <summary>The whole device, every process together: <c>memory.used</c>.</summary>
    Device,

    /// <summary>One process, as the driver or the kernel counts it.</summary>
    Process,

    /// <summary>What the framework's allocator has taken from the driver.</summary>
    Reserved,

    /// <summary>What the framework's allocator has handed out.</summary>
    Allocated,
}

/// <summary>What the samples are counted along.</summary>
public enum SeriesAxis
{
    Seconds,
    Steps,
    Tokens,
}

/// <summary>One quantity of memory over time.</summary>
/// <param name="Name">For people: <c>GPU 0</c>, <c>GPU 1 reserved</c>.</param>
/// <param name="Source">What several ledgers share: a device or a process.</param>
/// <param name="At">Seconds, steps or tokens; never falling.</param>
/// <param name="Bytes">As long as <paramref name="At"/>.</param>
/// <param name="CeilingBytes">Where it must end: the device's memory less what the driver keeps; null when unknown.</param>
/// <param name="Notes">What was done to the input to get here.</param>
public sealed record MemorySeries(
    string Name, string Source, MemoryLedger Ledger, SeriesAxis Axis, ImmutableArray<double> At, ImmutableArray<double> Bytes, long? CeilingBytes, ImmutableArray<string> Notes)
{
    /// <summary>The source of a process's ordinary memory.</summary>
    public const string Host = "host";

    public double Span => At.IsEmpty ? 0 : At[^1] - At[0];

    /// <summary>The series with samples in the order of the input. A clock that goes backwards is not believed: samples are then taken as evenly spaced.</summary>
    public static MemorySeries Create(string name, string source, MemoryLedger ledger, SeriesAxis axis, IReadOnlyList<double> at, IReadOnlyList<double> bytes, long? ceilingBytes)
    {
        if (at.Count != bytes.Count)
            throw new ArgumentException($"{at.Count} positions for {bytes.Count} samples of {name}", nameof(at));
        var steps = at.Zip(at.Skip(1), (before, after) => after - before).ToList();
        if (steps.TrueForAll(step => step >= 0))
            return new(name, source, ledger, axis, [.. at], [.. bytes], ceilingBytes, []);
        var forward = steps.Where(step => step > 0).Order().ToList();
        var usual = forward.Count > 0 ? forward[forward.Count / 2] : 1;
        return new(name, source, ledger, axis, [.. at.Select((_, index) => index * usual)], [.. bytes], ceilingBytes,
            [$"the clock goes backwards {steps.Count(step => step < 0)} times: the samples are taken as evenly spaced"]);
    }
}
