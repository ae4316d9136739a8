using System.Globalization;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>AMD GPUs as Linux's <c>amdgpu</c> driver shows them: <c>mem_info_vram_total</c> and <c>mem_info_vram_used</c>, in bytes; <c>mem_info_gtt_total</c> is what it may map of the host's.</summary>
internal static class AmdDevices
{
    /// <summary>A processor's own GPU sets so much aside for the screen and takes the rest from the host.</summary>
    private const long LargestCarveOut = 1L << 30;

    /// <param name="root">The folder of the kernel's display devices.</param>
    public static GpuInventory Read(string root)
    {
        if (!Directory.Exists(root))
            return GpuInventory.Missing();
        var gpus = new List<GpuReading>();
        foreach (var device in Directory.GetDirectories(root, "card*").Order(StringComparer.Ordinal).Select(card => Path.Combine(card, "device")))
        {
            if (Number(device, "mem_info_vram_total") is not { } total)
                continue;
            var used = Number(device, "mem_info_vram_used");
            gpus.Add(new(gpus.Count, Line(device, "product_name") ?? "AMD GPU", Line(device, "unique_id"), total, used, total - used, null, null, null, null, []) { IsUnified = total <= LargestCarveOut && Number(device, "mem_info_gtt_total") > 2 * total });
        }
        return new(gpus.Count > 0 ? "amdgpu" : null, null, [.. gpus], []);
    }

    private static long? Number(string folder, string name) => long.TryParse(Line(folder, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? Line(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) && File.ReadLines(path).FirstOrDefault()?.Trim() is { Length: > 0 } text ? text : null;
    }
}
