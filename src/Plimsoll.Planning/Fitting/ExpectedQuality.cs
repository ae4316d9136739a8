using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Fitting;

/// <summary>What a precision is expected to cost: the published increase of perplexity, as a fraction of that of the 16-bit model.</summary>
/// <param name="PerplexityIncrease">For example 0.028 for Q4_K_M.</param>
/// <param name="Source">Model and publication. Other models lose more or less; the order of precisions is what the solver relies on.</param>
public sealed record ExpectedQuality(double PerplexityIncrease, string Source)
{
    private static readonly Lazy<Table> Data = new(Load);

    /// <summary>The expectation for a precision name; null when nobody published one.</summary>
    public static ExpectedQuality? Of(string precision)
    {
        if (Data.Value.Known.TryGetValue(precision, out var known))
            return known;
        if (!precision.StartsWith("gguf:", StringComparison.Ordinal))
            return null;
        var type = precision["gguf:".Length..].Replace("+imatrix", "", StringComparison.Ordinal);
        if (type is "f16" or "bf16" or "f32")
            return new(0, "the published weights");
        var withMatrix = precision.EndsWith("+imatrix", StringComparison.Ordinal);
        var rows = PublishedQuality.Llama3.Where(row => row.FileType.Equals(type, StringComparison.OrdinalIgnoreCase)).ToList();
        var row = rows.FirstOrDefault(candidate => candidate.ImportanceMatrix == withMatrix) ?? rows.FirstOrDefault();
        return row is null ? null : new(row.PerplexityIncrease, PublishedQuality.Source);
    }

    /// <summary>The precisions worth trying with an engine, best quality first; empty for an unknown engine.</summary>
    public static ImmutableArray<string> Ladder(string engine) => Data.Value.Ladders.GetValueOrDefault(engine, []);

    private static Table Load()
    {
        using var stream = typeof(ExpectedQuality).Assembly.GetManifestResourceStream("quality.json")!;
        using var document = JsonDocument.Parse(stream);
        return new(
            document.RootElement.GetProperty("precisions").EnumerateObject().ToDictionary(
                entry => entry.Name,
                entry => new ExpectedQuality(entry.Value.GetProperty("perplexity_increase").GetDouble(), entry.Value.GetProperty("source").GetString()!)),
            document.RootElement.GetProperty("ladders").EnumerateObject().ToDictionary(
                entry => entry.Name,
                entry => entry.Value.EnumerateArray().Select(precision => precision.GetString()!).ToImmutableArray()));
    }

    private sealed record Table(Dictionary<string, ExpectedQuality> Known, Dictionary<string, ImmutableArray<string>> Ladders);
}
