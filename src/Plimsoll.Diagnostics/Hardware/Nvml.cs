using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Plimsoll.Diagnostics.Hardware;

/// <summary>NVIDIA's management library, bound at run time: every function may be missing, and every answer may be "not supported".</summary>
/// <remarks>Structures and version numbers: nvml.h of API 13.</remarks>
internal static unsafe class Nvml
{
    /// <summary><c>nvmlReturn_t</c>.</summary>
    internal const int Success = 0, NotSupported = 3, NoPermission = 4, DriverNotLoaded = 9, LibraryNotFound = 12, FunctionNotFound = 13, GpuLost = 15, LibraryMismatch = 18, VersionMismatch = 25;

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

    /// <summary><c>nvmlProcessInfo_v1_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ProcessInfoV1
    {
        public uint Pid;
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
            return GpuInventory.Missing($"NVML: {Explain(status)}") with { IsBroken = IsBroken(status) };
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
        var problems = ImmutableArray.CreateBuilder<string>();
        for (uint index = 0; index < count; index++)
        {
            nint device = 0;
            var status = ((delegate* unmanaged[Cdecl]<uint, nint*, int>)getHandle)(index, &device);
            if (status == Success)
                gpus.Add(Describe(library, (int)index, device));
            else
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"GPU {index}: {Explain(status)}"));
        }
        return new("NVML", Driver(library), gpus.ToImmutable(), problems.ToImmutable()) { IsBroken = problems.Count > 0 };
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
            Processes(library, device))
        { Instances = Instances(library, device) };
    }

    /// <summary>The instances of a divided GPU: there may be gaps between their numbers.</summary>
    private static ImmutableArray<GpuInstance> Instances(nint library, nint device)
    {
        uint most = 0;
        if (!NativeLibrary.TryGetExport(library, "nvmlDeviceGetMaxMigDeviceCount", out var getMost) || ((delegate* unmanaged[Cdecl]<nint, uint*, int>)getMost)(device, &most) != Success
            || !NativeLibrary.TryGetExport(library, "nvmlDeviceGetMigDeviceHandleByIndex", out var getInstance))
            return [];
        var instances = ImmutableArray.CreateBuilder<GpuInstance>();
        for (uint index = 0; index < most; index++)
        {
            nint instance = 0;
            if (((delegate* unmanaged[Cdecl]<nint, uint, nint*, int>)getInstance)(device, index, &instance) != Success)
                continue;
            var memory = Memory(library, instance);
            instances.Add(new((int)index, Text(library, "nvmlDeviceGetUUID", instance), memory?.Total, memory?.Used, memory?.Free));
        }
        return instances.ToImmutable();
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

    /// <summary>Those that compute. The third version of the function fills the structure of the second, but for drivers of the 530 series, which the second serves; drivers before 450 have the first only.</summary>
    private static ImmutableArray<GpuProcess> Processes(nint library, nint device)
    {
        if (NativeLibrary.TryGetExport(library, "nvmlDeviceGetComputeRunningProcesses_v2", out var newer) || NativeLibrary.TryGetExport(library, "nvmlDeviceGetComputeRunningProcesses_v3", out newer))
            return [.. Ask<ProcessInfo>(newer, device).Select(process => Process(process.Pid, process.Used))];
        return NativeLibrary.TryGetExport(library, "nvmlDeviceGetComputeRunningProcesses", out var older) ? [.. Ask<ProcessInfoV1>(older, device).Select(process => Process(process.Pid, process.Used))] : [];
    }

    private static T[] Ask<T>(nint export, nint device)
        where T : unmanaged
    {
        var function = (delegate* unmanaged[Cdecl]<nint, uint*, T*, int>)export;
        uint count = 0;
        function(device, &count, null);
        // More may have started since.
        var found = new T[(count * 2) + 5];
        count = (uint)found.Length;
        fixed (T* first = found)
            return function(device, &count, first) == Success ? found[..(int)Math.Min(count, (uint)found.Length)] : [];
    }

    /// <summary>2^64 − 1 stands for "not available" (NVML_VALUE_NOT_AVAILABLE).</summary>
    private static GpuProcess Process(uint pid, ulong used) => new((int)pid, used == ulong.MaxValue ? null : (long)used);

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

    /// <summary>Whether something is there that should work: without a driver, or without rights, nothing is broken.</summary>
    internal static bool IsBroken(int status) => status is not (Success or NotSupported or NoPermission or DriverNotLoaded or LibraryNotFound or FunctionNotFound);

    internal static string Explain(int status) => status switch
    {
        NotSupported => "not supported by this GPU",
        NoPermission => "no permission: inside a container, or an instance of a divided GPU",
        DriverNotLoaded => "the driver is not loaded",
        LibraryNotFound or FunctionNotFound => "the driver's library is incomplete",
        GpuLost => "the GPU has fallen off the bus: see dmesg for Xid errors, power the machine off and on",
        LibraryMismatch => "library and driver are of different versions: restart after the update",
        VersionMismatch => "the driver does not know this version of the question",
        _ => string.Create(CultureInfo.InvariantCulture, $"error {status}"),
    };
}
