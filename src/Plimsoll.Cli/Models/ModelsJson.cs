using System.Text.Json;
using Plimsoll.Models;
using Plimsoll.Models.Catalog;

namespace Plimsoll.Cli.Models;

/// <summary><c>plimsoll.models/1</c>: the entries asked for, with layers and tensors when it is one.</summary>
internal static class ModelsJson
{
    public static void Write(TextWriter output, IReadOnlyList<ModelCatalogEntry> entries, bool detail) =>
        JsonOutput.Write(output, "plimsoll.models/1", json => json.WriteArray("models", entries, entry => WriteEntry(json, entry, detail)));

    private static void WriteEntry(Utf8JsonWriter json, ModelCatalogEntry entry, bool detail)
    {
        var shape = entry.Shape;
        json.WriteStartObject();
        json.WriteString("id", entry.Id);
        json.WriteStartArray("aliases");
        foreach (var alias in entry.Aliases)
            json.WriteStringValue(alias);
        json.WriteEndArray();
        json.WriteString("architecture", shape.Architecture);
        json.WriteNumber("parameters", shape.Parameters);
        json.WriteNumber("active_parameters", shape.ActiveParameters);
        json.WriteNumber("layers", shape.Layers.Length);
        json.WriteNumber("hidden_size", shape.HiddenSize);
        json.WriteNumber("vocabulary_size", shape.VocabularySize);
        if (shape.MaxContext is { } context)
            json.WriteNumber("max_context", context);
        json.WriteBoolean("tied_embeddings", shape.TiedEmbeddings);
        json.WriteNumber("kv_cache_per_token_f16_bytes", ModelsTable.CacheBytes(shape));
        json.WriteString("confidence", shape.Confidence switch { Confidence.Low => "low", Confidence.Medium => "medium", _ => "high" });
        json.WriteString("source", entry.FactSource);
        json.WriteStartArray("notes");
        foreach (var note in shape.Notes)
            json.WriteStringValue(note);
        json.WriteEndArray();
        if (detail)
            WriteDetail(json, shape);
        json.WriteEndObject();
    }

    private static void WriteDetail(Utf8JsonWriter json, ModelShape shape)
    {
        json.WriteStartArray("layer_groups");
        foreach (var group in LayerGroups.Of(shape))
        {
            json.WriteStartObject();
            json.WriteString("layers", group.Range);
            json.WriteNumber("count", group.Count);
            json.WriteString("mixer", LayerGroups.Mixer(group.Layer));
            json.WriteString("feed_forward", LayerGroups.FeedForward(group.Layer.FeedForward));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("tensors");
        foreach (var group in TensorGroups.Of(shape))
        {
            json.WriteStartObject();
            json.WriteString("name", group.Name);
            json.WriteString("shape", group.Shape);
            json.WriteNumber("count", group.Count);
            json.WriteNumber("parameters", group.Parameters);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
