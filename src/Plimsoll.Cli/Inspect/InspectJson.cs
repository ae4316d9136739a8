using System.Text.Json;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models.Inspection;

namespace Plimsoll.Cli.Inspect;

/// <summary>What a checkpoint is, for a program.</summary>
internal static class InspectJson
{
    public static void Write(TextWriter output, InspectReport report) => JsonOutput.Write(output, "plimsoll.inspect/1", json =>
    {
        if (!report.IsList)
        {
            WriteOne(json, report.Inspections[0], withTensors: true, report.ShowMetadata);
            return;
        }
        json.WriteString("path", report.Target);
        json.WriteArray("checkpoints", report.Inspections, inspection =>
        {
            json.WriteStartObject();
            // A folder may hold thousands of tensors many times over; a list gives them when asked.
            WriteOne(json, inspection, report.ShowTensors, report.ShowMetadata);
            json.WriteEndObject();
        });
        json.WriteArray("unreadable", report.Failures, failure =>
        {
            json.WriteStartObject();
            json.WriteString("path", failure.Path);
            json.WriteString("message", failure.Message);
            json.WriteEndObject();
        });
        json.WriteNumber("file_bytes", report.Inspections.Sum(InspectText.FileBytes));
    });

    private static void WriteOne(Utf8JsonWriter json, CheckpointInspection inspection, bool withTensors, bool withMetadata)
    {
        json.WriteString("path", inspection.Path);
        json.WriteString("kind", inspection.Kind.Word());
        json.WriteString("format", inspection.Checkpoint?.Format.ToString().ToLowerInvariant());
        json.WriteString("architecture", inspection.Architecture);
        json.WriteNumberOrNull("parameters", inspection.Parameters);
        json.WriteString("parameters_note", inspection.ParametersNote);
        json.WriteNumber("weights_bytes", inspection.WeightBytes);
        json.WriteNumber("optimizer_bytes", inspection.OptimizerBytes);
        json.WriteNumber("file_bytes", InspectText.FileBytes(inspection));
        json.WriteNumberOrNull("bits_per_weight", inspection.BitsPerWeight);
        json.WriteString("quantization", inspection.QuantizationText);
        json.WriteString("precision", inspection.Precision);
        json.WriteNumberOrNull("context_length", inspection.ContextLength);
        WriteShape(json, inspection);
        WriteTokenizer(json, inspection);
        json.WriteArray("files", inspection.Files, file =>
        {
            json.WriteStartObject();
            json.WriteString("path", file.Path);
            json.WriteNumberOrNull("file_bytes", file.Bytes);
            json.WriteNumber("tensors", file.Tensors);
            json.WriteNumber("tensor_bytes", file.TensorBytes);
            json.WriteEndObject();
        });
        json.WriteStrings("missing_files", inspection.Checkpoint?.MissingFiles ?? []);
        WriteLines(json, "types", "type", inspection.Types);
        WriteLines(json, "parts", "part", inspection.Parts);
        if (withTensors)
            WriteTensors(json, inspection);
        if (withMetadata)
            WriteMetadata(json, inspection);
        json.WriteArray("problems", inspection.Problems, problem =>
        {
            json.WriteStartObject();
            json.WriteString("check", problem.Check);
            json.WriteString("severity", problem.Severity == ProblemSeverity.Error ? "error" : "warning");
            json.WriteString("message", problem.Message);
            json.WriteStrings("tensors", problem.Tensors);
            json.WriteEndObject();
        });
        json.WriteStrings("notes", inspection.Notes);
    }

    private static void WriteShape(Utf8JsonWriter json, CheckpointInspection inspection)
    {
        if (inspection.Shape is not { } shape)
            return;
        json.WriteStartObject("shape");
        json.WriteNumber("layers", shape.Layers.Length);
        json.WriteNumber("hidden_size", shape.HiddenSize);
        json.WriteNumber("vocabulary_size", shape.VocabularySize);
        json.WriteBoolean("tied_embeddings", shape.TiedEmbeddings);
        json.WriteNumber("expected_parameters", shape.Parameters);
        json.WriteNumber("active_parameters", shape.ActiveParameters);
        json.WriteString("confidence", shape.Confidence.ToString().ToLowerInvariant());
        json.WriteEndObject();
    }

    private static void WriteTokenizer(Utf8JsonWriter json, CheckpointInspection inspection)
    {
        if (inspection.Tokenizer is not { } tokenizer)
        {
            json.WriteNull("tokenizer");
            return;
        }
        json.WriteStartObject("tokenizer");
        json.WriteString("kind", tokenizer.Kind);
        json.WriteString("source", tokenizer.Source);
        json.WriteString("class", tokenizer.ClassName);
        json.WriteString("pre_tokenizer", tokenizer.PreTokenizer);
        json.WriteNumberOrNull("vocabulary_size", tokenizer.VocabularySize);
        json.WriteNumberOrNull("merges", tokenizer.Merges);
        json.WriteArray("special_tokens", tokenizer.SpecialTokens, token =>
        {
            json.WriteStartObject();
            json.WriteString("role", token.Role);
            json.WriteString("text", token.Text);
            json.WriteNumberOrNull("id", token.Id);
            json.WriteEndObject();
        });
        json.WriteBoolean("chat_template", inspection.HasChatTemplate);
        json.WriteEndObject();
    }

    private static void WriteLines(Utf8JsonWriter json, string name, string label, IEnumerable<StorageLine> lines) => json.WriteArray(name, lines, line =>
    {
        json.WriteStartObject();
        json.WriteString(label, line.Name);
        json.WriteNumber("tensors", line.Tensors);
        json.WriteNumberOrNull("parameters", line.Parameters);
        json.WriteNumber("bytes", line.Bytes);
        json.WriteNumberOrNull("bits_per_weight", line.BitsPerWeight);
        json.WriteEndObject();
    });

    private static void WriteTensors(Utf8JsonWriter json, CheckpointInspection inspection) => json.WriteArray("tensors", inspection.Checkpoint?.Tensors ?? [], tensor =>
    {
        json.WriteStartObject();
        json.WriteString("name", tensor.Name);
        json.WriteString("type", tensor.Format.Name);
        json.WriteArray("shape", tensor.Dimensions, json.WriteNumberValue);
        json.WriteNumber("bytes", tensor.Bytes);
        json.WriteString("file", Path.GetFileName(tensor.File));
        json.WriteNumber("offset", tensor.Offset);
        json.WriteEndObject();
    });

    /// <summary>Numbers as numbers; arrays that were not read with the header as their length.</summary>
    private static void WriteMetadata(Utf8JsonWriter json, CheckpointInspection inspection)
    {
        json.WriteStartObject("metadata");
        if (inspection.Checkpoint?.Gguf is { } gguf)
        {
            foreach (var key in gguf.Keys.Order(StringComparer.Ordinal))
                WriteValue(json, key, gguf.Raw(key)!);
        }
        else
        {
            foreach (var (key, value) in inspection.Checkpoint?.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal) ?? Enumerable.Empty<KeyValuePair<string, string>>())
                json.WriteString(key, value);
        }
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, string key, object value)
    {
        switch (value)
        {
            case string text: json.WriteString(key, text); break;
            case bool truth: json.WriteBoolean(key, truth); break;
            case long number: json.WriteNumber(key, number); break;
            case ulong number: json.WriteNumber(key, number); break;
            case double number: json.WriteNumberOrNull(key, number); break;
            case GgufArray array: json.WriteString(key, $"{array.Count} x {array.ElementType}"); break;
            case System.Collections.IList list:
                json.WriteStartArray(key);
                foreach (var item in list)
                {
                    if (item is long integer)
                        json.WriteNumberValue(integer);
                    else if (item is double real && double.IsFinite(real))
                        json.WriteNumberValue(real);
                    else if (item is bool yes)
                        json.WriteBooleanValue(yes);
                    else
                        json.WriteNullValue();
                }
                json.WriteEndArray();
                break;
        }
    }
}
