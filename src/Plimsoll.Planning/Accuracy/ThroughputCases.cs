using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Speed;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Accuracy;

/// <summary>One measured speed, or the verdict that a model did not fit, as a line of a <c>throughput_cases.jsonl</c> file states it.</summary>
public sealed record ThroughputCase
{
    public required string Id { get; init; }

    public required string Framework { get; init; }

    public required string Model { get; init; }

    public required string Quant { get; init; }

    public required string Gpu { get; init; }

    public int? Gpus { get; init; }

    public int? InputTokens { get; init; }

    public required string Metric { get; init; }

    /// <summary>Tokens per second; null when nothing ran.</summary>
    public double? Value { get; init; }

    /// <summary>The run ended for want of memory.</summary>
    public bool OutOfMemory { get; init; }

    public string? Source { get; init; }

    /// <exception cref="JsonException">The line is not a JSON object with these fields.</exception>
    public static ThroughputCase Read(string line)
    {
        using var document = JsonDocument.Parse(line);
        var row = document.RootElement;
        if (row.ValueKind != JsonValueKind.Object)
            throw new JsonException("expected a JSON object");
        JsonElement? Field(string name) => row.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
        string Text(string name) => Field(name) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : throw new JsonException($"\"{name}\" is missing");
        int? Integer(string name) => Field(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : null;
        return new()
        {
            Id = Text("id"),
            Framework = Text("framework"),
            Model = Text("model"),
            Quant = Text("quant"),
            Gpu = Text("gpu"),
            Gpus = Integer("gpus"),
            InputTokens = Integer("input_tokens"),
            Metric = Text("metric"),
            Value = Field("value") is { ValueKind: JsonValueKind.Number } measured ? measured.GetDouble() : null,
            OutOfMemory = Field("oom") is { ValueKind: JsonValueKind.True },
            Source = Field("source") is { ValueKind: JsonValueKind.String } source ? source.GetString() : null,
        };
    }
}

/// <summary>What a case means in the planner's terms.</summary>
/// <param name="Model">The model's name, as the catalog is asked for it.</param>
/// <param name="Precision">The weight precision, as the user would type it.</param>
/// <param name="Generated">Tokens generated; 0 when the case measures the prompt alone.</param>
public sealed record ThroughputSetting(
    string Engine, string? EngineVersion, string Model, string Precision, GpuSelection Gpus, int PromptTokens, int Generated, bool CountsPrompt);

/// <summary>A case with its prediction, or the reason why it has none.</summary>
/// <param name="Group">Cases that are summed up together: engine and metric.</param>
/// <param name="Setting">What the case means; also present for out-of-memory verdicts, which have no speed.</param>
/// <param name="Error">Predicted over measured, less 1.</param>
public sealed record ThroughputOutcome(
    ThroughputCase Case, string Group, ThroughputSetting? Setting, double? Measured, SpeedEstimate? Predicted, double? Error, string? RefusedBecause)
{
    public bool WithinBounds => Predicted is { } predicted && Measured is { } measured && predicted.Low <= measured && measured <= predicted.High;
}

/// <summary>Turns measured speeds into predictions and errors. What a case does not say is refused with the reason, never guessed.</summary>
public sealed class ThroughputCases(ModelCatalog models, GpuCatalog gpus, SpeedModel speed)
{
    /// <summary>With the catalogs and speed constants that come with the product.</summary>
    public static ThroughputCases Default => new(ModelCatalog.Default, GpuCatalog.Default, SpeedModel.Default);

    // The Qwen speed tables generate 2048 tokens at batch 1 (stated on each page).
    private const int QwenGenerated = 2048;

    private static readonly ImmutableArray<string> Engines = ["llama.cpp", "transformers", "vllm", "sglang"];

    private static readonly ImmutableArray<(string Quant, string Precision)> Precisions =
    [
        ("F16", "f16"), ("FP16", "f16"), ("BF16", "bf16"), ("FP8", "fp8:block128"), ("GPTQ-Int4", "gptq:4bit-g128"), ("GPTQ-Int8", "gptq:8bit-g128"),
        ("AWQ", "awq:4bit-g128"), ("AWQ-Int4", "awq:4bit-g128"),
    ];

    /// <summary>The prediction for one case.</summary>
    public ThroughputOutcome Evaluate(ThroughputCase row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var group = $"{row.Framework}: {row.Metric}";
        ThroughputOutcome Refuse(string reason, ThroughputSetting? known = null) => new(row, group, known, row.Value, null, null, reason);

        var (setting, problem) = Interpret(row);
        if (setting is null)
            return Refuse(problem!);
        if (row.Value is not { } measured)
            return Refuse(row.OutOfMemory ? "an out-of-memory verdict has no speed" : "the case states no speed", setting);
        var (input, missing) = ToInput(setting);
        if (input is null)
            return Refuse(missing!, setting);
        var result = Predict(setting, input);
        return result.Estimate is { } predicted
            ? new(row, group, setting, measured, predicted, predicted.Expected / measured - 1, null)
            : Refuse(result.Reason!, setting);
    }

    /// <summary>What the case means; or why it cannot be told.</summary>
    public (ThroughputSetting? Setting, string? Problem) Interpret(ThroughputCase row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var engine = Engines.FirstOrDefault(known => row.Framework.StartsWith(known, StringComparison.OrdinalIgnoreCase));
        if (engine is null)
            return (null, $"the engine '{row.Framework}' is unknown");
        // "llama.cpp (May 2024)" names its version in brackets.
        var version = row.Framework[engine.Length..].Trim(' ', '(', ')') is { Length: > 0 } stated ? stated : null;
        if (PrecisionOf(row.Quant, engine) is not { } precision)
            return (null, $"the precision '{row.Quant}' is unknown");
        GpuSelection selection;
        try
        {
            selection = GpuSelection.Parse(row.Gpu, gpus);
        }
        catch (UnknownGpuException unknown)
        {
            return (null, unknown.Message);
        }
        if (row.Gpus is { } count)
            selection = selection with { Count = count };

        if (row.Metric.StartsWith("decode tok/s", StringComparison.Ordinal) && NumberIn(row.Metric) is { } generated)
            return (new(engine, version, row.Model, precision, selection, row.InputTokens ?? 0, generated, CountsPrompt: false), null);
        if (row.Metric.StartsWith("prompt tok/s", StringComparison.Ordinal) && NumberIn(row.Metric) is { } prompt)
            return (new(engine, version, row.Model, precision, selection, prompt, 0, CountsPrompt: true), null);
        if (row.Metric == "tokens/s per doc")
            return InterpretQwen(row, engine, precision, selection);
        return (null, $"the metric '{row.Metric}' is unknown");
    }

    /// <summary>
    /// The Qwen tables time a whole request. The Qwen3 page counts (prompt + generated) / time, the Qwen2 and Qwen2.5 pages generated / time; each
    /// page names the engine versions it ran.
    /// </summary>
    private static (ThroughputSetting?, string?) InterpretQwen(ThroughputCase row, string engine, string precision, GpuSelection selection)
    {
        if (row.InputTokens is not { } input)
            return (null, "the case does not state the length of the prompt");
        var page = row.Source ?? "";
        var version = (page.Contains("Qwen3", StringComparison.Ordinal), page.Contains("Qwen2", StringComparison.Ordinal), row.Model.StartsWith("Qwen2-", StringComparison.Ordinal), engine) switch
        {
            (true, _, _, "transformers") => "4.51.3",
            (true, _, _, _) => "0.4.6.post1",
            (_, true, true, "vllm") => "0.4.2",
            (_, true, false, "vllm") => "0.6.3",
            (_, true, true, "transformers") => "4.38.2",
            (_, true, false, "transformers") => "4.46.0",
            _ => null,
        };
        return version is null
            ? (null, "the page that the case comes from is unknown, and with it what 'tokens/s per doc' counts")
            : (new(engine, version, row.Model, precision, selection, input, QwenGenerated, page.Contains("Qwen3", StringComparison.Ordinal)), null);
    }

    /// <summary>The speed model's input for a case; or why there is none. The context is the prompt and half of what is generated, the average over the generation.</summary>
    public (SpeedInput? Input, string? Problem) ToInput(ThroughputSetting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        if (models.Find(setting.Model) is not { } entry)
            return (null, $"the model '{setting.Model}' is not in the catalog");
        if (PrecisionScheme.Find(setting.Precision) is not { } precision)
            return (null, $"the precision '{setting.Precision}' is unknown");
        try
        {
            var context = setting.PromptTokens + setting.Generated / 2;
            var input = SpeedInput.From(entry.Shape, precision.Apply(entry.Shape), setting.Engine, setting.Gpus, context, setting.PromptTokens);
            return (input with { EngineVersion = setting.EngineVersion }, null);
        }
        catch (PrecisionNotApplicableException refusal)
        {
            return (null, refusal.Message);
        }
    }

    private SpeedResult Predict(ThroughputSetting setting, SpeedInput input)
    {
        if (setting.Generated == 0)
            return speed.Prefill(input);
        return setting.PromptTokens == 0 ? speed.Decode(input) : speed.Request(input, setting.Generated, setting.CountsPrompt);
    }

    private static string? PrecisionOf(string quant, string engine)
    {
        var known = Precisions.FirstOrDefault(pair => string.Equals(pair.Quant, quant, StringComparison.OrdinalIgnoreCase)).Precision;
        if (engine == "llama.cpp")
            return known is "f16" or "bf16" || quant.StartsWith('Q') || quant.StartsWith("IQ", StringComparison.Ordinal) ? $"gguf:{quant.ToLowerInvariant()}" : null;
        return known;
    }

    private static int? NumberIn(string metric)
    {
        var start = metric.AsSpan().IndexOfAnyInRange('0', '9');
        if (start < 0)
            return null;
        var digits = metric.AsSpan(start);
        var end = digits.IndexOfAnyExceptInRange('0', '9');
        return int.TryParse(end < 0 ? digits : digits[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}
