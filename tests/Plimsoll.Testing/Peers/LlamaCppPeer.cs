using System.ComponentModel;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using Xunit;

namespace Plimsoll.Testing.Peers;

/// <summary>The shared libraries of llama.cpp v0.5.0 as an npm package carries them: the reference that files and numbers are compared with.</summary>
/// <remarks>Fetched once by npm into <c>artifacts/peers</c>; tests that need it skip with the reason where that is not possible.</remarks>
public static class LlamaCppPeer
{
    private const string Package = "@node-llama-cpp/linux-x64@3.22.1";

    private static readonly Lazy<(string? Folder, string? Reason)> Found = new(Find);

    /// <summary>The folder with <c>libggml-base.so</c> and <c>libllama.v0.5.0.so</c>; skips the running test where there is none.</summary>
    public static string Require()
    {
        if (Found.Value.Folder is not { } folder)
        {
            Assert.Skip($"llama.cpp's libraries are not here: {Found.Value.Reason}");
            throw new UnreachableException();
        }
        return folder;
    }

    private static (string?, string?) Find()
    {
        if (!OperatingSystem.IsLinux() || System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64)
            return (null, "the package is for Linux on x64");
        var root = Path.Combine(Repository.Root, "artifacts", "peers", Package[(Package.LastIndexOf('@') + 1)..]);
        var folder = Path.Combine(root, "package", "bins", "linux-x64");
        if (Directory.Exists(folder))
            return (folder, null);
        var parent = Directory.CreateDirectory(Path.GetDirectoryName(root)!).FullName;
        try
        {
            // One test program fetches, the others wait; the folder appears whole.
            using var gate = new Mutex(initiallyOwned: false, "plimsoll-llama-cpp-peer");
            gate.WaitOne();
            try
            {
                if (!Directory.Exists(folder))
                    Fetch(parent, root);
            }
            finally
            {
                gate.ReleaseMutex();
            }
            return Directory.Exists(folder) ? (folder, null) : (null, $"{Package} holds no {folder}");
        }
        catch (Exception failure) when (failure is IOException or Win32Exception or InvalidDataException or InvalidOperationException)
        {
            return (null, failure.Message);
        }
    }

    private static void Fetch(string parent, string root)
    {
        var work = Directory.CreateDirectory(Path.Combine(parent, $"fetch-{Environment.ProcessId}")).FullName;
        try
        {
            var start = new ProcessStartInfo("npm") { WorkingDirectory = work, RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in (string[])["pack", Package, "--silent"])
                start.ArgumentList.Add(argument);
            using var npm = Process.Start(start)!;
            var errors = npm.StandardError.ReadToEndAsync();
            npm.StandardOutput.ReadToEnd();
            npm.WaitForExit();
            if (npm.ExitCode != 0)
                throw new InvalidOperationException($"npm pack {Package} ended with {npm.ExitCode}: {errors.Result.Trim()}");
            using (var archive = new GZipStream(File.OpenRead(Directory.EnumerateFiles(work, "*.tgz").Single()), CompressionMode.Decompress))
                TarFile.ExtractToDirectory(archive, work, overwriteFiles: true);
            Directory.CreateDirectory(root);
            Directory.Move(Path.Combine(work, "package"), Path.Combine(root, "package"));
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }
}
