using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Run;

/// <summary>What a run made, how fast, and in how much memory.</summary>
internal sealed record RunReport
{
    public string Text { get; init; } = "";

    /// <summary>Tokens read: the prompt, or what each turn of a conversation added to what was known.</summary>
    public int PromptTokens { get; init; }

    /// <summary>The tokens of <see cref="Text"/>.</summary>
    public IReadOnlyList<int> Generated { get; init; } = [];

    public TimeSpan Prefill { get; init; }

    public TimeSpan Decode { get; init; }

    /// <summary>Tokens that took the time of <see cref="Decode"/>: an answer's first comes with the prompt.</summary>
    public int Decoded { get; init; }

    /// <summary>Null where the time was too short to measure.</summary>
    public double? PrefillTokensPerSecond => Rate(PromptTokens, Prefill);

    /// <summary>Null where fewer than two tokens were generated.</summary>
    public double? DecodeTokensPerSecond => Rate(Decoded, Decode);

    public long PlannedBytes { get; init; }

    public long PeakBytes { get; init; }

    /// <summary>One line for people.</summary>
    public string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"prompt: {PromptTokens} tokens{Speed(PrefillTokensPerSecond)}; generated: {Generated.Count} tokens{Speed(DecodeTokensPerSecond)}; memory: {new ByteSize(PeakBytes)} at the peak, {new ByteSize(PlannedBytes)} planned");

    /// <summary>Both runs as one, with the text of the later.</summary>
    public RunReport Then(RunReport next) => next with
    {
        PromptTokens = PromptTokens + next.PromptTokens,
        Generated = [.. Generated, .. next.Generated],
        Prefill = Prefill + next.Prefill,
        Decode = Decode + next.Decode,
        Decoded = Decoded + next.Decoded,
    };

    private static double? Rate(int tokens, TimeSpan time) => tokens > 0 && time > TimeSpan.Zero ? tokens / time.TotalSeconds : null;

    private static string Speed(double? rate) => rate is { } number ? string.Create(CultureInfo.InvariantCulture, $" at {number:0.0} tokens/s") : "";
}
