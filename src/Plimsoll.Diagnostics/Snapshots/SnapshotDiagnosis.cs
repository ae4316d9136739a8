using System.Collections.Immutable;
using Plimsoll.Diagnostics.Snapshots.Checks;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>What a snapshot says: every device at the moment that matters, and what was found.</summary>
/// <param name="Findings">Causes first.</param>
public sealed record SnapshotDiagnosis(MemorySnapshot Snapshot, ImmutableArray<DeviceMemory> Devices, ImmutableArray<Finding> Findings)
{
    /// <summary>Everything that is looked for in a snapshot.</summary>
    public static ImmutableArray<Rule> Rules => SnapshotChecks.Rules;

    /// <summary>Whether memory ran out, or something is wrong that will let it.</summary>
    public bool HasProblem => Findings.Any(finding => finding.Severity == Severity.Cause);

    public static SnapshotDiagnosis Of(MemorySnapshot snapshot)
    {
        ImmutableArray<DeviceMemory> devices = [.. snapshot.Devices.Select(device => DeviceMemory.Of(snapshot, device))];
        return new(snapshot, devices, [.. SnapshotChecks.Run(snapshot, devices).OrderBy(finding => finding.Severity)]);
    }
}
