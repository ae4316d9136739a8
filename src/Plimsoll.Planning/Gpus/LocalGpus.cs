using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Plimsoll.Planning.Gpus;

/// <summary>The GPUs of this machine, as <c>nvidia-smi</c> lists them.</summary>
public static class LocalGpus
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Asks <c>nvidia-smi</c> and groups equal GPUs.</summary>
    /// <exception cref="LocalGpuException">There is no driver, or it does not answer.</exception>
    public static IReadOnlyList<GpuSelection> Detect(GpuCatalog catalog) => Parse(Query("--query-gpu=name,memory.total --format=csv,noheader"), catalog);

    /// <summary>Reads the answer of <c>nvidia-smi --query-gpu=name,memory.total --format=csv,noheader</c>.</summary>
    /// <remarks>A GPU that the catalog does not know keeps its name and the memory that the driver reports; nothing else of it is known.</remarks>
    /// <exception cref="LocalGpuException">No line describes a GPU.</exception>
    public static IReadOnlyList<GpuSelection> Parse(string text, GpuCatalog catalog)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(catalog);
        var gpus = new List<GpuSpec>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var comma = line.LastIndexOf(',');
            if (comma > 0 && ReadMiB(line.AsSpan(comma + 1)) is { } memory)
                gpus.Add(Describe(line[..comma].Trim(), memory, catalog));
        }
        return gpus.Count == 0
            ? throw new LocalGpuException($"nvidia-smi lists no GPU{(text.Trim() is { Length: > 0 } said ? $"; it says: {FirstLine(said)}" : "")}")
            : [.. gpus.GroupBy(gpu => (gpu.Name, gpu.UsableMiB.Value)).Select(group => new GpuSelection(group.First(), group.Count()))];
    }

    /// <summary>What the driver reports counts more than the catalog: error correction, MIG and modified cards change it.</summary>
    private static GpuSpec Describe(string name, double reportedMiB, GpuCatalog catalog)
    {
        var reported = new Sourced(reportedMiB, "nvidia-smi on this machine");
        // "RTX 4060 Ti" was sold with 8 and 16 GiB: the reported size tells which.
        var known = catalog.Find($"{name} {Math.Round(reportedMiB / 1024)}GB") ?? catalog.Find(name);
        if (known is null)
            return new() { Id = name, Name = name, Vendor = "NVIDIA", LabelledGiB = new(Math.Round(reportedMiB / 1024), reported.Source), ReportedMiB = reported, UsableMiB = GpuCatalogReader.UsableRule(reportedMiB) };
        var same = Math.Abs(known.ReportedMiB?.Value - reportedMiB ?? double.MaxValue) <= 64;
        return known with { ReportedMiB = reported, UsableMiB = same ? known.UsableMiB : GpuCatalogReader.UsableRule(reportedMiB) };
    }

    private static double? ReadMiB(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (text.EndsWith("MiB", StringComparison.OrdinalIgnoreCase))
            text = text[..^3].Trim();
        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var memory) && memory > 512 ? memory : null;
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim();

    /// <summary>What <c>nvidia-smi</c> answers to these arguments.</summary>
    /// <exception cref="LocalGpuException">There is no driver, or it does not answer.</exception>
    public static string Query(string arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("nvidia-smi", arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(Patience))
            {
                process.Kill(entireProcessTree: true);
                throw new LocalGpuException($"nvidia-smi did not answer within {Patience.TotalSeconds} seconds; the driver may hang");
            }
            return process.ExitCode == 0 ? output.Result : throw new LocalGpuException($"nvidia-smi failed: {FirstLine((output.Result + error.Result).Trim())}");
        }
        catch (Win32Exception)
        {
            throw new LocalGpuException("this machine has no NVIDIA driver (nvidia-smi was not found); name a GPU instead, for example --gpu rtx-4090 or --gpu 24GiB");
        }
    }
}

/// <summary>This machine has no GPU that can be asked. The environment lacks something, not the caller.</summary>
public sealed class LocalGpuException(string message) : Exception(message);
