using Plimsoll.Numerics;

namespace Plimsoll.Diagnostics.Hardware.Checks;

/// <summary>Whether a model can still be stored where models are kept.</summary>
internal static class DiskCheck
{
    /// <summary>A model of seven billion parameters in 16 bits.</summary>
    private const long OneModel = 15 * ByteSize.GiB;

    public static IEnumerable<MachineCheck> Of(MachineFacts facts)
    {
        yield return facts.DiskFreeBytes switch
        {
            null => new("disk", CheckStatus.Warning, $"The free room of the disk of {facts.HubCache} is not available", null, null),
            < OneModel and { } free => new("disk", CheckStatus.Warning, $"{new ByteSize(free).ToDecimalString()} are free on the disk of {facts.HubCache}", "delete models that are not used, or point HF_HOME to a larger disk", "https://huggingface.co/docs/huggingface_hub/guides/manage-cache"),
            { } free => new("disk", CheckStatus.Ok, $"{new ByteSize(free).ToDecimalString()} are free on the disk of {facts.HubCache}", null, null),
        };
    }
}
