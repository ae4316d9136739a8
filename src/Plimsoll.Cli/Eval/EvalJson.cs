using System.Text.Json;
using Plimsoll.Evaluation;

namespace Plimsoll.Cli.Eval;

/// <summary><c>plimsoll.eval/1</c>: the measurements of every model; of a single one also as members of the top object.</summary>
internal static class EvalJson
{
    public static void Write(TextWriter output, EvalReport report) => JsonOutput.Write(output, "plimsoll.eval/1", json =>
    {
        json.WriteString("text", report.Text);
        json.WriteNumber("context", report.Context);
        json.WriteNumber("windows", report.Windows);
        if (report.Lines is [var single])
            WriteMembers(json, single);
        if (report.Base is { } reference)
        {
            json.WriteStartObject("against");
            WriteMembers(json, reference);
            json.WriteEndObject();
        }
        json.WriteArray("models", report.Lines, line =>
        {
            json.WriteStartObject();
            WriteMembers(json, line);
            json.WriteEndObject();
        });
        json.WriteNumber("peak_rss_bytes", report.PeakBytes);
    });

    private static void WriteMembers(Utf8JsonWriter json, EvalLine line)
    {
        json.WriteString("model", line.Name);
        json.WriteNumber("tokens", line.Result.ScoredTokens);
        json.WriteNumberOrNull("perplexity", line.Result.Perplexity.Value);
        json.WriteNumberOrNull("perplexity_stderr", line.Result.Perplexity.Error);
        if (line.Result.Divergence is { } divergence)
            WriteDivergence(json, divergence);
        json.WriteNumber("bits_per_weight", line.BitsPerWeight);
        json.WriteNumber("file_bytes", line.FileBytes);
        json.WriteNumberOrNull("tokens_per_second", line.TokensPerSecond);
    }

    private static void WriteDivergence(Utf8JsonWriter json, Divergence divergence)
    {
        json.WriteStartObject("kl_divergence");
        json.WriteNumberOrNull("mean", divergence.Mean.Value);
        json.WriteNumberOrNull("stderr", divergence.Mean.Error);
        json.WriteNumberOrNull("median", divergence.Median);
        json.WriteNumberOrNull("p99", divergence.Percentile99);
        json.WriteNumberOrNull("max", divergence.Max);
        json.WriteEndObject();
        json.WriteNumberOrNull("same_top", divergence.SameTop.Value);
        json.WriteNumberOrNull("same_top_stderr", divergence.SameTop.Error);
        json.WriteNumberOrNull("rms_probability_change", divergence.RmsProbabilityChange);
        json.WriteNumberOrNull("log_perplexity_ratio", divergence.LogPerplexityRatio.Value);
        json.WriteNumberOrNull("log_perplexity_ratio_stderr", divergence.LogPerplexityRatio.Error);
    }
}
