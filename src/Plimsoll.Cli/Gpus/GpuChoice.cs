using Plimsoll.Planning.Gpus;

namespace Plimsoll.Cli.Gpus;

/// <summary>How commands open the GPU catalog and read <c>--gpu</c>.</summary>
internal static class GpuChoice
{
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
            throw CliException.Environment(missing.Message, "name the GPU instead: --gpu rtx-4090");
        }
    }
}
