using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>What a line of code held in one snapshot and holds in another.</summary>
public sealed record HolderChange(int Device, CodeSite Site, long BytesBefore, int CountBefore, long BytesAfter, int CountAfter)
{
    public long Change => BytesAfter - BytesBefore;
}

/// <summary>The difference of two snapshots, each at the moment that matters in it.</summary>
public static class SnapshotDifference
{
    /// <summary>Every line of code that holds another amount, the largest change first. Lines are the same when file name, function and number are, wherever the folder is.</summary>
    public static ImmutableArray<HolderChange> Of(SnapshotDiagnosis before, SnapshotDiagnosis after)
    {
        var (old, now) = (Held(before), Held(after));
        return
        [
            .. old.Keys.Union(now.Keys)
                .Select(key =>
                {
                    var (was, has) = (old.GetValueOrDefault(key), now.GetValueOrDefault(key));
                    return new HolderChange(key.Device, key.Site, was.Bytes, was.Count, has.Bytes, has.Count);
                })
                .Where(change => change.Change != 0)
                .OrderByDescending(change => Math.Abs(change.Change)).ThenBy(change => change.Device).ThenBy(change => change.Site.ToString(), StringComparer.Ordinal),
        ];
    }

    private static Dictionary<(int Device, CodeSite Site), (long Bytes, int Count)> Held(SnapshotDiagnosis diagnosis) => diagnosis.Devices
        .SelectMany(device => device.Holders.Select(holder => (Key: (device.Device, Site: holder.Site with { File = CodeSite.FileName(holder.Site.File) }), holder.Bytes, holder.Count)))
        .GroupBy(held => held.Key)
        .ToDictionary(group => group.Key, group => (group.Sum(held => held.Bytes), group.Sum(held => held.Count)));
}
