using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Run;

/// <summary>What a run made, how fast, and in how much memory.</summary>
internal sealed record RunReport
{
    public required string Text { get; init; }

    public required int PromptTokens { get; init; }

    public required int GeneratedTokens { get; init; }

    /// <summary>Null where the time was too short to measure.</summary>
    public required double? PrefillTokensPerSecond { get; init; }

    /// <summary>Null where fewer than two tokens were generated: the first comes with the prompt.</summary>
    public required double? DecodeTokensPerSecond { get; init; }

    public long PlannedBytes { get; init; }

    public long PeakBytes { get; init; }

    /// <summary>One line for people.</summary>
    public string Describe() => string.Create(CultureInfo.InvariantCulture,
        $"prompt: {PromptTokens} tokens{Speed(PrefillTokensPerSecond)}; generated: {GeneratedTokens} tokens{Speed(DecodeTokensPerSecond)}; memory: {new ByteSize(PeakBytes)} at the peak, {new ByteSize(PlannedBytes)} planned");

    private static string Speed(double? rate) => rate is { } number ? string.Create(CultureInfo.InvariantCulture, $" at {number:0.0} tokens/s") : "";
}
