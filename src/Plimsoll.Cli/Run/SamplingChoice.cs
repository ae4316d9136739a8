using System.CommandLine;
using Plimsoll.Runtime.Sampling;

namespace Plimsoll.Cli.Run;

/// <summary>How tokens are chosen, from options.</summary>
internal static class SamplingChoice
{
    private static readonly SamplingOptions Usual = new();

    private static readonly Option<double> Temperature = new("--temperature") { Description = "0 takes the most probable token, more draws", DefaultValueFactory = _ => 0 };
    private static readonly Option<int> TopK = new("--top-k") { Description = "draw from that many most probable tokens; 0 for all", DefaultValueFactory = _ => Usual.TopK };
    private static readonly Option<double> TopP = new("--top-p") { Description = "draw from the fewest tokens whose probabilities sum to it; 1 for all", DefaultValueFactory = _ => Usual.TopP };
    private static readonly Option<double> MinP = new("--min-p") { Description = "draw from tokens at least so probable, relative to the best; 0 for all", DefaultValueFactory = _ => Usual.MinP };
    private static readonly Option<double> Penalty = new("--repeat-penalty") { Description = "make recent tokens less probable; 1 for none", DefaultValueFactory = _ => Usual.RepetitionPenalty };
    private static readonly Option<int> Seed = new("--seed") { Description = "the same seed draws the same text", DefaultValueFactory = _ => 0 };

    public static IReadOnlyList<Option> Options { get; } = [Temperature, TopK, TopP, MinP, Penalty, Seed];

    /// <exception cref="CliException">A value is outside its range.</exception>
    public static Sampler Create(ParseResult parsed)
    {
        try
        {
            return new(new()
            {
                Temperature = parsed.GetValue(Temperature),
                TopK = parsed.GetValue(TopK),
                TopP = parsed.GetValue(TopP),
                MinP = parsed.GetValue(MinP),
                RepetitionPenalty = parsed.GetValue(Penalty),
                Seed = parsed.GetValue(Seed),
            });
        }
        catch (ArgumentOutOfRangeException failure)
        {
            // Without the name of the parameter that .NET puts behind.
            throw CliException.WrongUsage(failure.Message[..failure.Message.LastIndexOf(" (", StringComparison.Ordinal)]);
        }
    }
}
