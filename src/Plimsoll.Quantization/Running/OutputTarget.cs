using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Running;

/// <summary>Where an output goes, and what must not be there.</summary>
internal static class OutputTarget
{
    /// <summary>The final path of a file of an output that is no folder: files lie in the folder of the target under their own names.</summary>
    public static string PathOf(string target, OutputFile file) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(target))!, file.Name);

    /// <summary>Refuses a target that would overwrite what nobody allowed, or what nobody can have meant.</summary>
    /// <param name="replace">Whether an earlier output may be replaced.</param>
    /// <param name="sourceFiles">The files that are read meanwhile.</param>
    /// <exception cref="QuantizationRefusedException">The target cannot be taken; the message says why.</exception>
    public static void Check(OutputPlan plan, string target, bool replace, IEnumerable<string> sourceFiles)
    {
        var sources = sourceFiles.Select(Real).ToHashSet(StringComparer.Ordinal);
        if (plan.IsFolder)
            CheckFolder(target, replace, sources);
        else
        {
            foreach (var file in plan.Files)
                CheckFile(PathOf(target, file), replace, sources);
        }
    }

    private static void CheckFolder(string target, bool replace, HashSet<string> sources)
    {
        if (File.Exists(target))
            throw new QuantizationRefusedException($"{target} is a file, and this format is a folder of files; name a folder that does not exist yet");
        if (!Directory.Exists(target) || !Directory.EnumerateFileSystemEntries(target).Any())
            return;
        var folder = Real(target);
        if (sources.Any(source => Path.GetDirectoryName(source) == folder))
            throw new QuantizationRefusedException($"{target} holds the model that is read; name another folder");
        if (!replace)
            throw new QuantizationRefusedException($"{target} exists; --force replaces it, or name another folder");
        if (!File.Exists(Path.Combine(target, "config.json")) || Directory.EnumerateDirectories(target).Any())
            throw new QuantizationRefusedException($"{target} holds something other than one checkpoint and is not replaced; name another folder");
    }

    private static void CheckFile(string path, bool replace, HashSet<string> sources)
    {
        if (Directory.Exists(path))
            throw new QuantizationRefusedException($"{path} is a folder, and this format is a file; name the file in it");
        if (!File.Exists(path))
            return;
        if (sources.Contains(Real(path)))
            throw new QuantizationRefusedException($"{path} is the file that is read; name another one");
        if (!replace)
            throw new QuantizationRefusedException($"{path} exists; --force replaces it, or name another file");
    }

    /// <summary>The path without links.</summary>
    private static string Real(string path)
    {
        FileSystemInfo entry = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
        return Path.TrimEndingDirectorySeparator((entry.ResolveLinkTarget(returnFinalTarget: true) ?? entry).FullName);
    }
}
