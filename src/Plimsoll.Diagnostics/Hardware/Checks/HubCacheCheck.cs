namespace Plimsoll.Diagnostics.Hardware.Checks;

/// <summary>Whether models of the Hugging Face hub are kept.</summary>
internal static class HubCacheCheck
{
    public static IEnumerable<MachineCheck> Of(MachineFacts facts)
    {
        if (facts.HubCacheProblem is { } problem)
        {
            yield return new("hub-cache", CheckStatus.Failed, $"{facts.HubCache} cannot be used: {problem}", "mend its rights, or name another folder: HF_HOME", "https://huggingface.co/docs/huggingface_hub/guides/manage-cache");
            yield break;
        }
        yield return new("hub-cache", CheckStatus.Ok, facts.HubCacheExists ? $"Models of the hub are in {facts.HubCache}" : $"No model of the hub is kept yet; they will be in {facts.HubCache}", null, null);
    }
}
