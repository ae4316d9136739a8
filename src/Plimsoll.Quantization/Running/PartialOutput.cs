using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>The folder beside the target in which an output comes into being: <c>TARGET.partial</c>, with the journal and the files.</summary>
/// <remarks>Under the final name the output appears whole, by a rename within one file system.</remarks>
internal sealed class PartialOutput : IDisposable
{
    private readonly string root;
    private readonly FileStream gate;
    private readonly OutputDisk disk;

    private PartialOutput(string root, FileStream gate, OutputDisk disk) => (this.root, this.gate, this.disk) = (root, gate, disk);

    public string JournalPath => Path.Combine(root, "journal");

    private string Files => Path.Combine(root, "files");

    public static string PathFor(string target) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(target)) + ".partial";

    /// <summary>Opens the folder and keeps others out of it while it is open.</summary>
    /// <exception cref="IOException">The folder cannot be made, or another run is at work in it.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public static PartialOutput Open(string target, OutputDisk disk)
    {
        var root = PathFor(target);
        try
        {
            Directory.CreateDirectory(Path.Combine(root, "files"));
        }
        catch (IOException failure) when (failure is DirectoryNotFoundException or FileNotFoundException)
        {
            throw new IOException($"{Path.GetDirectoryName(root)} takes no new folder; name an output elsewhere");
        }
        try
        {
            return new(root, new(Path.Combine(root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None), disk);
        }
        catch (IOException) when (File.Exists(Path.Combine(root, "lock")))
        {
            throw new IOException($"another run is writing {target}; let it end, or name another output");
        }
    }

    public bool Has(OutputFile file) => new FileInfo(PathOf(file.Name)) is { Exists: true } found && found.Length == file.Length;

    public SafeFileHandle OpenForReading(OutputFile file) => File.OpenHandle(PathOf(file.Name));

    /// <summary>Opens a file for its tensors, of its full length and with its header.</summary>
    public SafeFileHandle OpenForWriting(OutputFile file)
    {
        var handle = File.OpenHandle(PathOf(file.Name), FileMode.OpenOrCreate, FileAccess.ReadWrite);
        RandomAccess.SetLength(handle, file.Length);
        disk.Write(handle, file.Header.Span, 0);
        return handle;
    }

    /// <summary>Empties the folder of what an earlier run left.</summary>
    public void Clear()
    {
        File.Delete(JournalPath);
        foreach (var file in Directory.EnumerateFiles(Files))
            File.Delete(file);
    }

    public void Write(ImmutableArray<SideFile> sideFiles)
    {
        foreach (var file in sideFiles)
        {
            var path = PathOf(file.Name);
            if (file.CopyOf is { } source)
            {
                File.Copy(source, path, overwrite: true);
                continue;
            }
            using var handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
            disk.Write(handle, file.Content!.Value.Span, 0);
            RandomAccess.FlushToDisk(handle);
        }
    }

    /// <summary>Puts the finished files under their final names and removes the folder.</summary>
    /// <returns>The paths of the weight files.</returns>
    public ImmutableArray<string> Publish(OutputPlan plan, string target)
    {
        if (plan.IsFolder)
            ReplaceFolder(target);
        else
        {
            // Programs open the first of several parts: it comes last.
            foreach (var file in plan.Files.Reverse())
                File.Move(PathOf(file.Name), OutputTarget.PathOf(target, file), overwrite: true);
        }
        Delete();
        return [.. plan.Files.Select(file => plan.IsFolder ? Path.Combine(target, file.Name) : OutputTarget.PathOf(target, file))];
    }

    /// <summary>Removes the folder with everything in it.</summary>
    public void Delete()
    {
        gate.Dispose();
        Directory.Delete(root, recursive: true);
    }

    public void Dispose() => gate.Dispose();

    private void ReplaceFolder(string target)
    {
        var old = Path.Combine(root, "replaced");
        if (Directory.Exists(target))
            Directory.Move(target, old);
        try
        {
            Directory.Move(Files, target);
        }
        catch (IOException) when (Directory.Exists(old))
        {
            Directory.Move(old, target);
            throw;
        }
    }

    private string PathOf(string name) => Path.Combine(Files, name);
}
