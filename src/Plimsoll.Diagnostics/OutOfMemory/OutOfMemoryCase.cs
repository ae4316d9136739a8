namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>One event with everything that the checks reason from.</summary>
public sealed record OutOfMemoryCase
{
    public required OutOfMemoryEvent Event { get; init; }

    public required BalanceSheet Sheet { get; init; }

    public required LogText Log { get; init; }

    public Phase Phase { get; init; }

    public string? PhaseLine { get; init; }

    /// <summary>Samples of a step, as the log or the user says; null when nobody does.</summary>
    public int? Batch { get; init; }

    /// <summary>The log was written on Windows or WSL, where the driver may page GPU memory and expandable segments do not exist.</summary>
    public bool IsWindows { get; init; }

    public static OutOfMemoryCase Create(LogText log, OutOfMemoryEvent found, int? batch)
    {
        var (phase, line) = PhaseReader.Read(log, found);
        return new()
        {
            Event = found,
            Sheet = BalanceSheet.Of(found),
            Log = log,
            Phase = phase,
            PhaseLine = line,
            Batch = batch ?? BatchReader.Find(log, found.Position),
            IsWindows = found.HasUnavailableNumbers || WindowsSigns.Any(sign => log.Flat.Contains(sign, StringComparison.OrdinalIgnoreCase)),
        };
    }

    private static readonly string[] WindowsSigns = [@":\users\", @"site-packages\torch", @"\lib\site-packages", "microsoft-standard-wsl", "wddm"];
}
