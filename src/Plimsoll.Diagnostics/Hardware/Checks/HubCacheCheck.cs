namespace Plimsoll.Diagnostics.Hardware.Checks;

/// <summary>Whether models of the Hugging Face hub are kept.</summary>
internal static class HubCacheCheck
{
    public static IEnumerable<MachineCheck> Of(MachineFacts facts)
    {
        yield return new("hub-cache", CheckStatus.Ok, facts.HubCacheExists ? $"Models of the hub are in {facts.HubCache}" : $"No model of the hub is kept yet; they will be in {facts.HubCache}", null, null);
    }
}
