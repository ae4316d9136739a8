using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Numerics;

namespace Plimsoll.Planning.Accuracy;

/// <summary>One measured figure set with its settings, as published somewhere: a line of a JSONL file.</summary>
/// <remarks>Fields: <c>id</c>, <c>kind</c>, <c>framework</c>, <c>version</c>, <c>model</c>, <c>arch</c>, <c>settings</c>, <c>measured</c>, <c>source</c>. Sources write numbers as text here and there; the getters accept both.</remarks>
public sealed class MeasuredCase
{
    private readonly JsonElement root;

    private MeasuredCase(JsonElement root) => this.root = root;

    public string Id => Text(root, "id") ?? "";

    /// <summary>The id without its running number: cases of one source.</summary>
    public string Group => Id.TrimEnd([.. "0123456789"]).TrimEnd('-');

    public string Kind => Text(root, "kind") ?? (IsThroughput ? "throughput" : "");

    public string Framework => Text(root, "framework") ?? "";

    public string Version => Text(root, "version") ?? "";

    public string Model => Text(root, "model") ?? "";

    public string Source => Text(root, "source") ?? "";

    /// <summary>The line measures tokens per second instead of bytes.</summary>
    public bool IsThroughput => Text(root, "metric") is not null;

    public string? FileSize => Text(root, "file_size");

    public JsonElement Architecture => Member("arch");

    /// <summary>The same line as a throughput case.</summary>
    /// <exception cref="CheckpointFormatException">A field of it is missing.</exception>
    public ThroughputCase AsThroughput()
    {
        try
        {
            return ThroughputCase.Read(root.GetRawText());
        }
        catch (JsonException failure)
        {
            throw new CheckpointFormatException(Id, null, "a throughput case", failure.Message, failure);
        }
    }

    /// <summary>Reads a file of cases, one JSON object a line; empty lines are skipped.</summary>
    /// <exception cref="CheckpointFormatException">A line is not a JSON object.</exception>
    public static ImmutableArray<MeasuredCase> ReadFile(string path)
    {
        var cases = ImmutableArray.CreateBuilder<MeasuredCase>();
        var number = 0;
        foreach (var line in File.ReadLines(path, Encoding.UTF8))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            cases.Add(Parse(line, string.Create(CultureInfo.InvariantCulture, $"{path}, line {number}")));
        }
        return cases.ToImmutable();
    }

    public static MeasuredCase Parse(string json, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object || Text(document.RootElement, "id") is null)
                throw new CheckpointFormatException(path, null, "an object with an \"id\"", Shorten(json));
            return new(document.RootElement.Clone());
        }
        catch (JsonException failure)
        {
            throw new CheckpointFormatException(path, failure.BytePositionInLine, "a JSON object on one line", Shorten(json), failure);
        }
    }

    public string? Setting(string name) => Text(Member("settings"), name);

    public long? IntegerSetting(string name) => NumberSetting(name) is { } number && number == Math.Floor(number) && Math.Abs(number) < 1e15 ? (long)number : null;

    public double? NumberSetting(string name) => Number(Setting(name));

    public JsonElement SettingElement(string name) => Get(Member("settings"), name);

    public double? Measured(string name) => Number(Text(Member("measured"), name));

    /// <summary>The object of all measured figures.</summary>
    internal JsonElement MeasuredElementRoot => Member("measured");

    public JsonElement MeasuredElement(string name) => Get(Member("measured"), name);

    /// <summary>A measured size in MiB, as bytes.</summary>
    public long? MeasuredMiB(string name) => Measured(name) is { } mebibytes && double.IsFinite(mebibytes) && Math.Abs(mebibytes) < 1e12 ? ByteSize.FromMiB(mebibytes).Bytes : null;

    /// <summary>True for <c>"1"</c>, <c>1</c>, <c>true</c>, <c>"on"</c>; false for their opposites; null for anything else.</summary>
    public bool? Switch(string name) => Setting(name)?.ToLowerInvariant() switch
    {
        "1" or "true" or "on" or "yes" or "2" => true,
        "0" or "false" or "off" or "no" => false,
        _ => null,
    };

    internal static string? Text(JsonElement owner, string name) => Get(owner, name) switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False } value => value.GetRawText(),
        _ => null,
    };

    private static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private JsonElement Member(string name) => Get(root, name);

    private static JsonElement Get(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) ? value : default;

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
