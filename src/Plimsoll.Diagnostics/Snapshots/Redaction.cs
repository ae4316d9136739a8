namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>A diagnosis that can be shown to others: of paths only the names of the files are left.</summary>
public static class Redaction
{
    public static SnapshotDiagnosis WithoutFolders(this SnapshotDiagnosis diagnosis) =>
        diagnosis with { Devices = [.. diagnosis.Devices.Select(Redacted)] };

    private static DeviceMemory Redacted(DeviceMemory device) => device with
    {
        Holders = [.. device.Holders.Select(holder => holder with { Site = Redacted(holder.Site), Callers = [.. holder.Callers.Select(Redacted)] })],
        Failed = device.Failed is { } failed ? failed with { Site = Redacted(failed.Site) } : null,
        Leaks = [.. device.Leaks.Select(leak => leak with { Site = Redacted(leak.Site) })],
    };

    private static CodeSite Redacted(CodeSite site) => site with { File = CodeSite.FileName(site.File) };
}
