using System.Collections.Immutable;
using Plimsoll.Evaluation;
using Plimsoll.Planning.Fitting;

namespace Plimsoll.Cli.Fit;

/// <summary>What became of one candidate that was written and run.</summary>
/// <param name="Candidate">As it was planned.</param>
/// <param name="IsCalibrated">Written with GPTQ's error feedback from a text; else rounded without data.</param>
/// <param name="FileBytes">Bytes of its weight files.</param>
/// <param name="BitsPerWeight">Stored bits of its tensors per parameter.</param>
/// <param name="Result">Perplexity, and divergence from the base.</param>
/// <param name="WeightBytes">Bytes that its weights take when they are loaded.</param>
/// <param name="CacheBytes">Bytes of its KV cache at the planned context, as the runtime allocates it.</param>
internal sealed record MeasuredCandidate(FitCandidate Candidate, bool IsCalibrated, long FileBytes, double BitsPerWeight, EvaluationResult Result, long WeightBytes, long CacheBytes)
{
    /// <summary>The format as people say it: <c>q4_k_m</c>, <c>q4_k_m gptq</c>.</summary>
    public string Name => Candidate.Precision.Replace("gguf:", "", StringComparison.Ordinal).Replace("+imatrix", "", StringComparison.Ordinal) + (IsCalibrated ? " gptq" : "");

    public double Divergence => Result.Divergence!.Mean.Value;
}

/// <summary>The candidates of a fit, measured against the weights as they are.</summary>
/// <param name="Text">What they were measured on.</param>
/// <param name="Tokens">Predictions that were scored.</param>
/// <param name="Base">The weights as they are.</param>
/// <param name="Chosen">The one that fits with the least divergence; null when none fits.</param>
/// <param name="Output">Where it was written; null when nobody asked for it.</param>
/// <param name="Sample">What it writes, from the beginning of the text on.</param>
internal sealed record FitMeasurement(
    string Text, int Tokens, EvaluationResult Base, ImmutableArray<MeasuredCandidate> Candidates, MeasuredCandidate? Chosen, string? Output, string? Sample, TimeSpan Elapsed);
