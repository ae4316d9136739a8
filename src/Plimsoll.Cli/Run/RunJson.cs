namespace Plimsoll.Cli.Run;

/// <summary><c>plimsoll.run/1</c>.</summary>
internal static class RunJson
{
    public static void Write(TextWriter output, RunReport report) => JsonOutput.Write(output, "plimsoll.run/1", json =>
    {
        json.WriteString("text", report.Text);
        json.WriteNumber("prompt_tokens", report.PromptTokens);
        json.WriteNumber("generated_tokens", report.GeneratedTokens);
        json.WriteNumberOrNull("prefill_tokens_per_second", report.PrefillTokensPerSecond);
        json.WriteNumberOrNull("decode_tokens_per_second", report.DecodeTokensPerSecond);
        json.WriteNumber("peak_rss_bytes", report.PeakBytes);
        json.WriteNumber("planned_bytes", report.PlannedBytes);
    });
}
