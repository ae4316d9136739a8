using System.Text.Json;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>A parsed <c>config.json</c>: the raw object, with readers that name the file and the key when a value has the wrong type.</summary>
public sealed class ModelConfig
{
    private ModelConfig(string path, JsonElement root)
    {
        Path = path;
        Root = root;
    }

    /// <summary>The file or address it came from, for messages.</summary>
    public string Path { get; }

    public JsonElement Root { get; }

    /// <exception cref="CheckpointFormatException">The text is not JSON, or not an object.</exception>
    public static ModelConfig Parse(string path, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new CheckpointFormatException(path, 0, "a JSON object", document.RootElement.ValueKind.ToString());
            return new(path, document.RootElement.Clone());
        }
        catch (JsonException failure)
        {
            throw new CheckpointFormatException(path, null, "valid JSON", failure.Message, failure);
        }
    }

    /// <summary>The configuration of the language model inside a multimodal one (<c>text_config</c>), or this one itself.</summary>
    public ModelConfig Nested(JsonElement part) => new(Path, part);
}
