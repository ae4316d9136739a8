using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>NVIDIA's management library, bound at run time: every function may be missing, and every answer may be "not supported".</summary>
/// <remarks>Structures and version numbers: nvml.h of API 13.</remarks>
internal static unsafe class Nvml
{
    private const int Success = 0, DriverNotLoaded = 9, LibraryMismatch = 18;

    private const int NameLength = 96;

    /// <summary>Linux without development packages has the name with the version only.</summary>
    private static readonly string[] Libraries = OperatingSystem.IsWindows() ? ["nvml.dll"] : ["libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"];

    /// <summary><c>nvmlMemory_v2_t</c>. <c>used</c> does not hold what the driver reserves; in the first version it does.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MemoryV2
    {
        /// <summary>Size of the structure and 2 in the upper byte.</summary>
        public const uint CurrentVersion = 40 | (2 << 24);

        public uint Version;
        public ulong Total;
        public ulong Reserved;
        public ulong Free;
        public ulong Used;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct MemoryV1
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }

    /// <summary><c>nvmlProcessInfo_v2_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ProcessInfo
    {
        public uint Pid;
        public ulong Used;
        public uint GpuInstance;
        public uint ComputeInstance;
    }

    public static GpuInventory Read()
    {
        nint library = 0;
        if (!Array.Exists(Libraries, name => NativeLibrary.TryLoad(name, out library)))
            return GpuInventory.Missing($"NVML: {Libraries[0]} is not on this machine");
        if (!NativeLibrary.TryGetExport(library, "nvmlInit_v2", out var init))
            return GpuInventory.Missing("NVML: the library is too old");
        var status = ((delegate* unmanaged[Cdecl]<int>)init)();
        if (status != Success)
            return GpuInventory.Missing($"NVML: {Explain(status)}");
        try
        {
            return Read(library);
        }
        finally
        {
            if (NativeLibrary.TryGetExport(library, "nvmlShutdown", out var shutdown))
                ((delegate* unmanaged[Cdecl]<int>)shutdown)();
        }
    }

    private static GpuInventory Read(nint library)
    {
        uint count = 0;
        if (!NativeLibrary.TryGetExport(library, "nvmlDeviceGetCount_v2", out var getCount) || ((delegate* unmanaged[Cdecl]<uint*, int>)getCount)(&count) != Success
            || !NativeLibrary.TryGetExport(library, "nvmlDeviceGetHandleByIndex_v2", out var getHandle))
            return GpuInventory.Missing("NVML: the devices cannot be counted");
        var gpus = ImmutableArray.CreateBuilder<GpuReading>();
        for (uint index = 0; index < count; index++)
        {
            nint device = 0;
            if (((delegate* unmanaged[Cdecl]<uint, nint*, int>)getHandle)(index, &device) == Success)
                gpus.Add(Describe(library, (int)index, device));
        }
        return new("NVML", Driver(library), gpus.ToImmutable(), []);
    }

    private static GpuReading Describe(nint library, int index, nint device)
    {
        var memory = Memory(library, device);
        var capability = Pair(library, "nvmlDeviceGetCudaComputeCapability", device);
        return new(
            index, Text(library, "nvmlDeviceGetName", device) ?? "unnamed GPU", Text(library, "nvmlDeviceGetUUID", device),
            memory?.Total, memory?.Used, memory?.Free, memory?.Reserved,
            capability is { } version ? string.Create(CultureInfo.InvariantCulture, $"{version.First}.{version.Second}") : null,
            Pair(library, "nvmlDeviceGetMigMode", device) is { } mig ? mig.First == 1 : null,
            Pair(library, "nvmlDeviceGetEccMode", device) is { } ecc ? ecc.First == 1 : null,
            Processes(library, device));
    }

    /// <summary>Null where the GPU shares the memory of the host: not supported, or a total of zero.</summary>
    private static (long Total, long Used, long Free, long? Reserved)? Memory(nint library, nint device)
    {
        var second = new MemoryV2 { Version = MemoryV2.CurrentVersion };
        if (NativeLibrary.TryGetExport(library, "nvmlDeviceGetMemoryInfo_v2", out var newer) && ((delegate* unmanaged[Cdecl]<nint, MemoryV2*, int>)newer)(device, &second) == Success)
            return second.Total == 0 ? null : ((long)second.Total, (long)second.Used, (long)second.Free, (long)second.Reserved);
        var first = default(MemoryV1);
        return NativeLibrary.TryGetExport(library, "nvmlDeviceGetMemoryInfo", out var older) && ((delegate* unmanaged[Cdecl]<nint, MemoryV1*, int>)older)(device, &first) == Success && first.Total > 0
            ? ((long)first.Total, (long)first.Used, (long)first.Free, null)
            : null;
    }

    /// <summary>Those that compute. The third version of the function fills the structure of the second, but for drivers of the 530 series, which the second serves.</summary>
    private static ImmutableArray<GpuProcess> Processes(nint library, nint device)
    {
        if (!NativeLibrary.TryGetExport(library, "nvmlDeviceGetComputeRunningProcesses_v2", out var get) && !NativeLibrary.TryGetExport(library, "nvmlDeviceGetComputeRunningProcesses_v3", out get))
            return [];
        var function = (delegate* unmanaged[Cdecl]<nint, uint*, ProcessInfo*, int>)get;
        uint count = 0;
        function(device, &count, null);
        // More may have started since.
        var found = new ProcessInfo[(count * 2) + 5];
        count = (uint)found.Length;
        fixed (ProcessInfo* first = found)
        {
            if (function(device, &count, first) != Success)
                return [];
        }
        return [.. found.Take((int)count).Select(process => new GpuProcess((int)process.Pid, process.Used == ulong.MaxValue ? null : (long)process.Used))];
    }

    private static string? Driver(nint library)
    {
        var buffer = stackalloc byte[NameLength];
        return NativeLibrary.TryGetExport(library, "nvmlSystemGetDriverVersion", out var get) && ((delegate* unmanaged[Cdecl]<byte*, uint, int>)get)(buffer, NameLength) == Success ? Ascii(buffer) : null;
    }

    private static string? Text(nint library, string function, nint device)
    {
        var buffer = stackalloc byte[NameLength];
        return NativeLibrary.TryGetExport(library, function, out var get) && ((delegate* unmanaged[Cdecl]<nint, byte*, uint, int>)get)(device, buffer, NameLength) == Success ? Ascii(buffer) : null;
    }

    private static (int First, int Second)? Pair(nint library, string function, nint device)
    {
        int first = 0, second = 0;
        return NativeLibrary.TryGetExport(library, function, out var get) && ((delegate* unmanaged[Cdecl]<nint, int*, int*, int>)get)(device, &first, &second) == Success ? (first, second) : null;
    }

    private static string Ascii(byte* text) => Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    private static string Explain(int status) => status switch
    {
        DriverNotLoaded => "the driver is not loaded",
        LibraryMismatch => "library and driver are of different versions: restart after the update",
        _ => string.Create(CultureInfo.InvariantCulture, $"error {status}"),
    };
}
