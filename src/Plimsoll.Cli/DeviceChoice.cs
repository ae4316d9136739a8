using Plimsoll.Planning.Gpus;

namespace Plimsoll.Cli;

/// <summary>From <c>--gpu</c> to a GPU and a count.</summary>
internal static class DeviceChoice
{
    public static GpuSelection? Read(string? text, string? catalogFile, CliEnvironment environment)
    {
        if (text is null)
            return null;
        var catalog = UserCatalogs.Gpus(catalogFile, environment);
        try
        {
            if (!text.Equals(GpuSelection.Local, StringComparison.OrdinalIgnoreCase))
                return GpuSelection.Parse(text, catalog);
            var found = LocalGpus.Detect(catalog);
            return found.Count == 1 ? found[0] : throw CliException.WrongUsage($"this machine has GPUs of several kinds: {string.Join(", ", found)}", "name one of them with --gpu");
        }
        catch (UnknownGpuException failure)
        {
            throw CliException.WrongUsage(failure.Message, "'plimsoll gpus' lists them; a memory size such as 24GiB works too");
        }
        catch (LocalGpuException failure)
        {
            throw CliException.Environment(failure.Message, "name the GPU instead: --gpu rtx-4090");
        }
    }
}
