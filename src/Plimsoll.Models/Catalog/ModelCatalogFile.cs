using System.Text.Json;
using Plimsoll.Checkpoints;

namespace Plimsoll.Models.Catalog;

/// <summary>The format of a catalog: <c>{ "schema": "plimsoll.model-catalog/1", "models": [ { "id", "aliases", "source", "config" } ] }</c>.</summary>
internal static class ModelCatalogFile
{
    public const string Schema = "plimsoll.model-catalog/1";

    /// <summary>Walks the text once and notes where each entry lies; only names are decoded.</summary>
    public static List<ModelCatalogEntry> Read(string path, byte[] json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 64, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw Bad(path, reader.TokenStartIndex, "a JSON object", reader.TokenType.ToString());
            var entries = new List<ModelCatalogEntry>();
            string? schema = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("schema") && reader.Read())
                    schema = Text(path, ref reader, "schema");
                else if (reader.ValueTextEquals("models"))
                    ReadEntries(path, json, ref reader, entries);
                else
                    reader.Skip();
            }
            return schema == Schema ? entries : throw Bad(path, null, $"\"schema\": \"{Schema}\"", schema is null ? "no schema" : $"\"{schema}\"");
        }
        catch (JsonException failure)
        {
            throw new CheckpointFormatException(path, null, "valid JSON", failure.Message, failure);
        }
    }

    private static void ReadEntries(string path, byte[] json, ref Utf8JsonReader reader, List<ModelCatalogEntry> entries)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            throw Bad(path, reader.TokenStartIndex, "models to be a list", reader.TokenType.ToString());
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            entries.Add(ReadEntry(path, json, ref reader));
    }

    private static ModelCatalogEntry ReadEntry(string path, byte[] json, ref Utf8JsonReader reader)
    {
        var start = reader.TokenStartIndex;
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Bad(path, start, "each model to be an object", reader.TokenType.ToString());
        string? id = null, source = null, precision = null;
        var aliases = new List<string>();
        var config = default(Range?);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("id") && reader.Read())
                id = Text(path, ref reader, "id");
            else if (reader.ValueTextEquals("source") && reader.Read())
                source = Text(path, ref reader, "source");
            else if (reader.ValueTextEquals("precision") && reader.Read())
                precision = Text(path, ref reader, "precision");
            else if (reader.ValueTextEquals("aliases") && reader.Read())
                ReadAliases(path, ref reader, aliases);
            else if (reader.ValueTextEquals("config") && reader.Read())
                config = Skip(ref reader);
            else
                reader.Skip();
        }
        return new(
            id ?? throw Bad(path, start, "a model with an id", "none"),
            aliases,
            source ?? throw Bad(path, start, $"the model {id} to have a source", "none"),
            path,
            json.AsMemory(config ?? throw Bad(path, start, $"the model {id} to have a config", "none")),
            precision);
    }

    private static Range Skip(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return start..(int)reader.BytesConsumed;
    }

    private static void ReadAliases(string path, ref Utf8JsonReader reader, List<string> aliases)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Bad(path, reader.TokenStartIndex, "aliases to be a list of words", reader.TokenType.ToString());
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            aliases.Add(Text(path, ref reader, "an alias"));
    }

    private static string Text(string path, ref Utf8JsonReader reader, string what) => reader.TokenType == JsonTokenType.String
        ? reader.GetString()!
        : throw Bad(path, reader.TokenStartIndex, $"{what} to be a word", reader.TokenType.ToString());

    private static CheckpointFormatException Bad(string path, long? offset, string expected, string found) => new(path, offset, expected, found);
}
