using System.Text.Encodings.Web;
using System.Text.Json;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>JSON files that look as Hugging Face's own: indented, every character readable, a line break at the end.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    /// <param name="members">Writes the members of the one object.</param>
    public static byte[] Write(Action<Utf8JsonWriter> members)
    {
        var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, Options))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        text.WriteByte((byte)'\n');
        return text.ToArray();
    }
}
