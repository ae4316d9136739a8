using System.CommandLine;
using Plimsoll.Planning.Gpus;

namespace Plimsoll.Cli.Gpus;

/// <summary>How commands open the GPU catalog and read <c>--gpu</c>.</summary>
internal static class GpuChoice
{
    /// <summary>A catalog file of the user's for this call.</summary>
    public static Option<string?> CatalogOption() => new("--catalog")
    {
        Description = "a file of GPUs or prices laid over the built-in catalog (also ~/.config/plimsoll/gpus.json)",
        HelpName = "FILE",
    };

    /// <summary>The built-in catalog, with the user's own file and the one named on the command line over it.</summary>
    public static GpuCatalog Open(string? file, CliEnvironment environment)
    {
        var catalog = GpuCatalog.Default;
        if (UserFile(environment) is { } own && File.Exists(own))
            catalog = Load(catalog, own);
        return file is null ? catalog : Load(catalog, file);
    }

    /// <summary>Reads <c>2x rtx-3090</c>, <c>24GiB</c> or <c>local</c>.</summary>
    public static GpuSelection Select(string text, GpuCatalog catalog)
    {
        if (text.Trim().Equals(GpuSelection.Local, StringComparison.OrdinalIgnoreCase))
            return SelectLocal(catalog);
        try
        {
            return GpuSelection.Parse(text, catalog);
        }
        catch (UnknownGpuException unknown)
        {
            throw Unknown(unknown);
        }
    }

    /// <summary>The refusal of a name that the catalog does not have.</summary>
    public static CliException Unknown(UnknownGpuException unknown) =>
        CliException.WrongUsage(unknown.Message, "'plimsoll gpus' lists them all; a memory size such as 24GiB also does");

    private static GpuSelection SelectLocal(GpuCatalog catalog)
    {
        try
        {
            var found = LocalGpus.Detect(catalog);
            // One plan is for equal GPUs; of several kinds the largest group counts, and with it the larger memory.
            return found.OrderByDescending(selection => selection.Count).ThenByDescending(selection => selection.Gpu.UsableMemory).First();
        }
        catch (LocalGpuException missing)
        {
            throw CliException.Environment(missing.Message);
        }
    }

    private static GpuCatalog Load(GpuCatalog catalog, string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            return catalog.Load(stream, file);
        }
        catch (GpuCatalogFormatException problem)
        {
            throw CliException.BadInput(problem.Message);
        }
        catch (IOException problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw CliException.BadInput($"the GPU catalog {file} does not exist");
        }
    }

    /// <summary>The file that is always read when it is there; null without a home folder.</summary>
    private static string? UserFile(CliEnvironment environment) =>
        environment.Variable("XDG_CONFIG_HOME") is { Length: > 0 } config ? Path.Combine(config, "plimsoll", "gpus.json")
        : (environment.Variable("HOME") ?? environment.Variable("USERPROFILE")) is { Length: > 0 } home ? Path.Combine(home, ".config", "plimsoll", "gpus.json")
        : null;
}
