using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Diagnostics.Snapshots;

namespace Plimsoll.Cli.Diagnose.Snapshots;

/// <summary><c>plimsoll.diagnosis/1</c> of a memory snapshot.</summary>
internal static class SnapshotJson
{
    /// <summary>Lines of code per device; the rest is summed up.</summary>
    private const int MaxHolders = 100;

    public static void Write(TextWriter output, SnapshotDiagnosis diagnosis, ImmutableArray<HolderChange>? changes) => JsonOutput.Write(output, DiagnoseJson.Schema, json =>
    {
        json.WriteString("kind", "snapshot");
        DiagnoseJson.WriteFindings(json, diagnosis.Findings);
        json.WriteArray("devices", diagnosis.Devices, device => WriteDevice(json, device));
        if (changes is { } found)
        {
            json.WriteArray("changes", found, change =>
            {
                json.WriteStartObject();
                json.WriteNumber("device", change.Device);
                WriteSite(json, "site", change.Site);
                json.WriteNumber("bytes_before", change.BytesBefore);
                json.WriteNumber("bytes_after", change.BytesAfter);
                json.WriteNumber("tensors_before", change.CountBefore);
                json.WriteNumber("tensors_after", change.CountAfter);
                json.WriteEndObject();
            });
        }
        json.WriteStartObject("allocator_settings");
        foreach (var (name, value) in diagnosis.Snapshot.Settings.DistinctBy(setting => setting.Name))
            json.WriteString(name, value);
        json.WriteEndObject();
    });

    private static void WriteDevice(Utf8JsonWriter json, DeviceMemory device)
    {
        json.WriteStartObject();
        json.WriteNumber("device", device.Device);
        json.WriteString("moment", device.Moment switch { Moment.OutOfMemory => "out_of_memory", Moment.Peak => "peak", _ => "end" });
        json.WriteNumberOrNull("event", device.Moment == Moment.End ? null : (long?)device.EventIndex);
        json.WriteNumber("events", device.History.EventCount);
        json.WriteNumber("live_bytes", device.Live);
        json.WriteNumber("reserved_bytes", device.Reserved);
        if (device.Failed is { } failed)
        {
            json.WriteNumber("requested_bytes", failed.Requested);
            json.WriteNumber("free_bytes", failed.DeviceFree);
            WriteSite(json, "requested_by", failed.Site);
        }
        json.WriteArray("holders", device.Holders.Take(MaxHolders), holder => WriteHolder(json, holder));
        json.WriteNumber("other_holders_bytes", device.Holders.Skip(MaxHolders).Sum(holder => holder.Bytes));
        json.WriteArray("categories", Holders.ByCategory(device.Holders), group =>
        {
            json.WriteStartObject();
            json.WriteString("category", group.Category.Describe());
            json.WriteNumber("bytes", group.Bytes);
            json.WriteNumber("tensors", group.Count);
            json.WriteEndObject();
        });
        json.WriteArray("largest_tensors_bytes", device.LargestBlocks, block => json.WriteNumberValue(block.Requested));
        WriteFragmentation(json, "at_end", device.AtEnd);
        json.WriteArray("pools", device.Pools, pool =>
        {
            json.WriteStartObject();
            json.WriteString("pool", pool.Pool);
            json.WriteNumber("stream", pool.Stream);
            WriteFragmentation(json, "at_end", pool.Memory);
            json.WriteEndObject();
        });
        json.WriteEndObject();
    }

    private static void WriteHolder(Utf8JsonWriter json, Holder holder)
    {
        json.WriteStartObject();
        WriteSite(json, "site", holder.Site);
        json.WriteString("category", holder.Category.Describe());
        json.WriteNumber("bytes", holder.Bytes);
        json.WriteNumber("tensors", holder.Count);
        json.WriteNumber("largest_bytes", holder.Largest);
        json.WriteStrings("callers", holder.Callers.Select(caller => caller.ToString()));
        json.WriteEndObject();
    }

    private static void WriteSite(Utf8JsonWriter json, string name, CodeSite site)
    {
        json.WriteStartObject(name);
        json.WriteString("file", site.File);
        json.WriteNumber("line", site.Line);
        json.WriteString("function", site.Name);
        json.WriteEndObject();
    }

    private static void WriteFragmentation(Utf8JsonWriter json, string name, Fragmentation memory)
    {
        json.WriteStartObject(name);
        json.WriteNumber("segments", memory.Segments);
        json.WriteNumber("reserved_bytes", memory.Reserved);
        json.WriteNumber("live_bytes", memory.Live);
        json.WriteNumber("rounding_bytes", memory.Rounding);
        json.WriteNumber("pending_free_bytes", memory.PendingFree);
        json.WriteNumber("releasable_bytes", memory.Releasable);
        json.WriteNumber("trapped_bytes", memory.Trapped);
        json.WriteNumber("largest_free_bytes", memory.LargestFree);
        json.WriteNumber("fragmentation", memory.Index);
        json.WriteEndObject();
    }
}
