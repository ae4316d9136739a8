using Plimsoll.Evaluation;

namespace Plimsoll.Cli.Eval;

/// <summary>What was measured: the models in the order of the command line, the base of the comparison apart.</summary>
/// <param name="Text">The file.</param>
/// <param name="Context">Tokens of a window.</param>
/// <param name="Windows">Windows.</param>
/// <param name="Base">The base; null without one. Its own line has no divergence.</param>
/// <param name="PeakBytes">The most physical memory that the process has had.</param>
internal sealed record EvalReport(string Text, int Context, int Windows, EvalLine? Base, IReadOnlyList<EvalLine> Lines, long PeakBytes)
{
    /// <summary>The base first, then the models.</summary>
    public IEnumerable<EvalLine> All => Base is null ? Lines : Lines.Prepend(Base);

    /// <summary>A model in a table or drawing: the last part of its name.</summary>
    public static string Label(EvalLine line) => Path.GetFileName(Path.TrimEndingDirectorySeparator(line.Name));
}

/// <summary>One model.</summary>
/// <param name="FileBytes">Bytes of its files.</param>
/// <param name="BitsPerWeight">Stored bits of its tensors per parameter.</param>
/// <param name="TokensPerSecond">Tokens read per second; null when its predictions were kept from an earlier run.</param>
internal sealed record EvalLine(string Name, long FileBytes, double BitsPerWeight, EvaluationResult Result, double? TokensPerSecond);
