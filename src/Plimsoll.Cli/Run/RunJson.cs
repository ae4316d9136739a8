using Plimsoll.Checkpoints.Templates;

namespace Plimsoll.Cli.Run;

/// <summary><c>plimsoll.run/1</c>.</summary>
internal static class RunJson
{
    /// <param name="conversation">Its turns; null for text without turns.</param>
    public static void Write(TextWriter output, RunReport report, IReadOnlyList<ChatMessage>? conversation) => JsonOutput.Write(output, "plimsoll.run/1", json =>
    {
        json.WriteString("text", report.Text);
        json.WriteNumber("prompt_tokens", report.PromptTokens);
        json.WriteNumber("generated_tokens", report.Generated.Count);
        json.WriteNumberOrNull("prefill_tokens_per_second", report.PrefillTokensPerSecond);
        json.WriteNumberOrNull("decode_tokens_per_second", report.DecodeTokensPerSecond);
        json.WriteNumber("peak_rss_bytes", report.PeakBytes);
        json.WriteNumber("planned_bytes", report.PlannedBytes);
        if (conversation is null)
            return;
        json.WriteStartArray("messages");
        foreach (var (role, content) in conversation)
        {
            json.WriteStartObject();
            json.WriteString("role", role);
            json.WriteString("content", content);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}
