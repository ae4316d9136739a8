using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TorchSharp;

namespace Plimsoll.Torch.Native;

/// <summary>Loads libtorch and TorchSharp's library over it, before TorchSharp looks for them itself.</summary>
internal static class TorchLibrary
{
    /// <summary>The libtorch that TorchSharp 0.107 was built against; names of its C++ functions carry whole signatures, so that no other minor version binds.</summary>
    public const string Version = "2.10";

    /// <summary>What TorchSharp's library was linked against; no symbol of it is used.</summary>
    private const string Asked = "GLIBCXX_3.4.32";

    /// <summary>What Debian 12 and Ubuntu 22.04 have.</summary>
    private const string Enough = "GLIBCXX_3.4.30";

    private const string SharpLibrary = "libLibTorchSharp.so";

    private static readonly string[] Libraries = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];

    /// <summary>The libraries of a CUDA build, in the order of their dependence.</summary>
    private static readonly string[] CudaLibraries = ["libc10_cuda.so", "libtorch_cuda.so"];

    private static readonly Lock Once = new();

    private static IntPtr sharp;

    /// <param name="folder">The <c>lib</c> folder of another libtorch; null for the one that came along.</param>
    /// <exception cref="TorchUnavailableException">It cannot be loaded.</exception>
    public static void Load(string? folder = null)
    {
        lock (Once)
        {
            if (sharp != IntPtr.Zero)
                return;
            if (folder is not null)
                CheckVersion(folder);
            if (OperatingSystem.IsLinux())
                LoadLinux(folder);
        }
    }

    private static void LoadLinux(string? folder)
    {
        var shipped = Path.GetDirectoryName(Find(SharpLibrary))!;
        var source = folder ?? shipped;
        foreach (var name in Libraries)
            LoadOne(Path.Combine(source, name));
        foreach (var name in CudaLibraries.Select(name => Path.Combine(source, name)).Where(File.Exists))
            LoadOne(name);
        sharp = LoadSharp(Path.Combine(shipped, SharpLibrary));
        NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, Resolve);
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == "LibTorchSharp" ? sharp : IntPtr.Zero;

    private static IntPtr LoadSharp(string path)
    {
        if (NativeLibrary.TryLoad(path, out var handle))
            return handle;
        var bytes = File.ReadAllBytes(path);
        if (!SymbolVersion.Lower(bytes, Asked, Enough))
            return LoadOne(path);
        // A changed copy: what the package installed stays as it is, and may be read-only.
        var folder = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "plimsoll");
        Directory.CreateDirectory(folder);
        var copy = Path.Combine(folder, $"LibTorchSharp-{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}.so");
        if (!File.Exists(copy))
        {
            var partial = $"{copy}.{Environment.ProcessId}";
            File.WriteAllBytes(partial, bytes);
            File.Move(partial, copy, overwrite: true);
        }
        return LoadOne(copy);
    }

    private static IntPtr LoadOne(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
        {
            var reason = failure.Message.Split('\n').FirstOrDefault(line => line.Contains("GLIBC", StringComparison.Ordinal)) ?? failure.Message.Split('\n')[0];
            throw new TorchUnavailableException($"{Path.GetFileName(path)} cannot be loaded: {reason.Trim()}",
                reason.Contains("GLIBC", StringComparison.Ordinal) ? "a system with libstdc++ of GCC 12 or later has what it needs: Debian 12, Ubuntu 22.04, Fedora 37" : null);
        }
    }

    private static string Find(string name) =>
        new[] { AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native") }.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
        ?? throw new TorchUnavailableException($"{name} is not in {AppContext.BaseDirectory}", "there is a build for x64 Linux only");

    private static void CheckVersion(string folder)
    {
        // libtorch archives say it in build-version beside lib, Python wheels in version.py above it.
        var places = new[] { Path.Combine(folder, "..", "build-version"), Path.Combine(folder, "..", "version.py") };
        var text = places.Where(File.Exists).Select(File.ReadAllText).FirstOrDefault()
            ?? throw new TorchUnavailableException($"{folder}: neither build-version nor version.py above it says which libtorch this is", $"--libtorch takes the lib folder of libtorch {Version}");
        if (!text.Contains(Version + ".", StringComparison.Ordinal))
            throw new TorchUnavailableException($"{folder} is libtorch {text.Split('\n')[0].Trim()}; TorchSharp is built for {Version}", $"--libtorch takes the lib folder of libtorch {Version}");
    }
}

/// <summary>libtorch cannot be loaded on this system.</summary>
internal sealed class TorchUnavailableException(string message, string? hint) : Exception(message)
{
    public string? Hint { get; } = hint;
}
