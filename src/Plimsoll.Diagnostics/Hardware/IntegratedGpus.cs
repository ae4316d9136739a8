using System.Runtime.InteropServices;
using System.Text;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>GPUs on the processor's own chip that no management library lists: NVIDIA Jetson and Apple. They share the memory of the host.</summary>
internal static partial class IntegratedGpus
{
    /// <param name="model">Where the kernel names the board.</param>
    public static GpuInventory Jetson(string model)
    {
        if (!File.Exists(model))
            return GpuInventory.Missing();
        var name = File.ReadAllText(model).Trim('\0', ' ', '\n');
        return name.Contains("Jetson", StringComparison.OrdinalIgnoreCase) ? Shared("device tree", name) : GpuInventory.Missing();
    }

    /// <param name="processor">As the system names it, such as <c>Apple M2 Ultra</c>; null where there is no name.</param>
    public static GpuInventory Apple(string? processor) => processor?.StartsWith("Apple ", StringComparison.Ordinal) == true ? Shared("macOS", processor) : GpuInventory.Missing();

    /// <summary>The name of the processor of a Mac; null elsewhere.</summary>
    public static string? AppleProcessor()
    {
        if (!OperatingSystem.IsMacOS())
            return null;
        Span<byte> name = stackalloc byte[128];
        nuint length = (nuint)name.Length;
        return SystemValue("machdep.cpu.brand_string", ref MemoryMarshal.GetReference(name), ref length, 0, 0) == 0 && length > 1 ? Encoding.UTF8.GetString(name[..((int)length - 1)]) : null;
    }

    private static GpuInventory Shared(string source, string name) => new(source, null, [new(0, name, null, null, null, null, null, null, null, null, []) { IsUnified = true }], []);

    [LibraryImport("libc", EntryPoint = "sysctlbyname", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SystemValue(string name, ref byte value, ref nuint length, nint newValue, nuint newLength);
}
