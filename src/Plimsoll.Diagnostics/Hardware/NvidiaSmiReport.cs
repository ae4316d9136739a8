using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>The answer of <c>nvidia-smi -q -x</c>, of every version of its schema.</summary>
public static class NvidiaSmiReport
{
    /// <exception cref="LocalGpuException">It is no such report.</exception>
    public static GpuInventory Parse(string xml)
    {
        ArgumentNullException.ThrowIfNull(xml);
        var log = ReportElement.Parse(xml);
        return log.Name == "nvidia_smi_log"
            ? new("nvidia-smi", Text(log, "driver_version"), [.. log.All("gpu").Select(Read)], [])
            : throw new LocalGpuException($"nvidia-smi -q -x did not answer with a report: <nvidia_smi_log> is expected, <{log.Name}> was found");
    }

    private static GpuReading Read(ReportElement gpu, int index)
    {
        var memory = gpu["fb_memory_usage"];
        return new(
            index, Text(gpu, "product_name") ?? "unnamed GPU", Text(gpu, "uuid"), Size(memory, "total"), Size(memory, "used"), Size(memory, "free"), Size(memory, "reserved"), null,
            Switch(gpu["mig_mode"], "current_mig"), Switch(gpu["ecc_mode"], "current_ecc"), Processes(gpu["processes"]))
        { Instances = [.. (gpu["mig_devices"]?.All("mig_device") ?? []).Select(Instance)] };
    }

    private static GpuInstance Instance(ReportElement instance, int position)
    {
        var memory = instance["fb_memory_usage"];
        var index = int.TryParse(Text(instance, "index"), NumberStyles.None, CultureInfo.InvariantCulture, out var stated) ? stated : position;
        return new(index, null, Size(memory, "total"), Size(memory, "used"), Size(memory, "free"));
    }

    private static ImmutableArray<GpuProcess> Processes(ReportElement? processes) =>
    [
        .. (processes?.All("process_info") ?? [])
            .Where(process => int.TryParse(Text(process, "pid"), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(process => new GpuProcess(int.Parse(Text(process, "pid")!, CultureInfo.InvariantCulture), Size(process, "used_memory"))),
    ];

    private static bool? Switch(ReportElement? parent, string name) => Text(parent, name) switch { "Enabled" => true, "Disabled" => false, _ => null };

    /// <summary><c>16376 MiB</c>; a total of zero and <c>[N/A]</c> are not known.</summary>
    private static long? Size(ReportElement? parent, string name) =>
        Text(parent, name)?.Split(' ') is [var number, "MiB"] && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && (size > 0 || name != "total") ? size * ByteSize.MiB : null;

    private static string? Text(ReportElement? parent, string name) => parent?[name]?.Text is { Length: > 0 } text && !text.Contains("N/A", StringComparison.Ordinal) ? text : null;
}
