namespace Plimsoll.Diagnostics.Hardware.Checks;

/// <summary>Whether libtorch can be loaded, which only training needs.</summary>
internal static class TrainerCheck
{
    private const string Link = "https://pytorch.org/get-started/locally/";

    public static IEnumerable<MachineCheck> Of(MachineFacts facts)
    {
        if (facts.Trainer is not { } trainer)
            yield break;
        yield return trainer switch
        {
            { IsInstalled: false } => new("libtorch", CheckStatus.Warning, $"{trainer.Text}; nothing else needs it", trainer.Fix, Link),
            { Works: false } => new("libtorch", CheckStatus.Failed, $"Training does not work: {trainer.Text}", trainer.Fix, Link),
            _ => new("libtorch", CheckStatus.Ok, trainer.Text, null, null),
        };
    }
}
