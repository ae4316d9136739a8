using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Explanations;

namespace Plimsoll.Cli.Formats;

/// <summary>The number formats, and one explanation, for a program. Numbers that JSON cannot hold are null beside their text.</summary>
internal static class FormatsJson
{
    public static void Write(TextWriter output, IReadOnlyList<NumberFormat> formats) => Write(output, json =>
    {
        json.WriteString("schema", "plimsoll.formats/1");
        json.WriteStartArray("formats");
        foreach (var format in formats)
            WriteFormat(json, format);
        json.WriteEndArray();
        json.WriteString("published_quality_source", PublishedQuality.Source);
    });

    public static void Write(TextWriter output, NumberExplanation explanation) => Write(output, json =>
    {
        json.WriteString("schema", "plimsoll.formats_explain/1");
        json.WriteString("format", explanation.Format.Name);
        json.WriteNumber("value", explanation.Value);
        json.WriteStartArray("steps");
        foreach (var step in explanation.Steps)
        {
            json.WriteStartObject();
            json.WriteString("name", step.Name);
            json.WriteString("formula", step.Formula);
            json.WriteString("text", step.Text);
            WriteNumber(json, "value", step.Value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("code", explanation.Code);
        WriteNumber(json, "dequantized", explanation.Result);
        json.WriteString("dequantized_text", NumberExplanation.Text(explanation.Result));
        WriteNumber(json, "absolute_error", explanation.AbsoluteError);
        WriteNumber(json, "relative_error", explanation.RelativeError);
        json.WriteBoolean("overflow", explanation.Overflow);
        json.WriteBoolean("clamped", explanation.Clamped);
        json.WriteString("verdict", explanation.Verdict);
    });

    private static void WriteFormat(Utf8JsonWriter json, NumberFormat format)
    {
        json.WriteStartObject();
        json.WriteString("name", format.Name);
        json.WriteString("kind", format.Kind switch { NumberFormatKind.Float => "float", NumberFormatKind.Integer => "integer", _ => "block" });
        WriteStrings(json, "aliases", format.Aliases);
        json.WriteNumber("bits_per_weight", format.BitsPerWeight);
        json.WriteNumber("block_length", format.BlockLength);
        json.WriteNumber("block_bytes", format.BlockBytes);
        WriteNumber(json, "exponent_bits", format.ExponentBits);
        WriteNumber(json, "mantissa_bits", format.MantissaBits);
        json.WriteString("range", FormatsTable.Range(format));
        WriteNumber(json, "max_value", format.MaxValue);
        WriteNumber(json, "min_normal", format.MinNormal);
        WriteNumber(json, "min_subnormal", format.MinSubnormal);
        WriteNumber(json, "ggml_type", format.GgmlType);
        json.WriteString("safetensors_type", format.SafetensorsType);
        WriteStrings(json, "engines", format.Engines);
        json.WriteString("summary", format.Summary);
        json.WriteStartArray("published_quality");
        foreach (var row in PublishedQuality.Of(format))
        {
            json.WriteStartObject();
            json.WriteString("file_type", row.FileType);
            json.WriteBoolean("importance_matrix", row.ImportanceMatrix);
            json.WriteNumber("perplexity", row.Perplexity);
            json.WriteNumber("kl_divergence", row.KlDivergence);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, string[] values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    private static void Write(TextWriter output, Action<Utf8JsonWriter> content)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }
}
