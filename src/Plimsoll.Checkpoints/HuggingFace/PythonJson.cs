using System.Text.Json;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Reads JSON as Python's <c>json</c> module writes it.</summary>
/// <remarks>
/// <c>json.dump</c> writes the literals <c>Infinity</c>, <c>-Infinity</c> and <c>NaN</c>, which are not JSON (real case: <c>"time_step_limit": [0.0, Infinity]</c>).
/// Infinity becomes a number too large for a double, which reads back as infinity; NaN becomes null, which every reader takes as "not given".
/// Of duplicate keys the last wins, as in Python. A byte order mark is skipped.
/// </remarks>
internal static class PythonJson
{
    /// <summary>Nesting in the deepest real configuration seen is 8.</summary>
    private const int MaxDepth = 64;

    /// <exception cref="CheckpointFormatException">Not JSON even so.</exception>
    public static JsonElement Parse(string path, ReadOnlyMemory<byte> json)
    {
        if (json.Span.StartsWith("\uFEFF"u8))
            json = json[3..];
        try
        {
            return ParseStrictly(json);
        }
        catch (JsonException failure)
        {
            if (TryReplaceLiterals(json.Span, out var repaired))
            {
                try
                {
                    return ParseStrictly(repaired);
                }
                catch (JsonException)
                {
                    // The first failure has the position that the user can look up in the file.
                }
            }
            throw new CheckpointFormatException(path, Offset(json.Span, failure), "valid JSON", failure.Message, failure);
        }
    }

    private static JsonElement ParseStrictly(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
        return document.RootElement.Clone();
    }

    /// <summary>Replaces the literals outside strings; false when there are none.</summary>
    private static bool TryReplaceLiterals(ReadOnlySpan<byte> json, out byte[] repaired)
    {
        var output = new MemoryStream(json.Length + 64);
        var found = false;
        for (var at = 0; at < json.Length;)
        {
            var rest = json[at..];
            if (rest[0] == '"')
            {
                var length = StringLength(rest);
                output.Write(rest[..length]);
                at += length;
            }
            else if (rest.StartsWith("Infinity"u8))
            {
                output.Write("1e99999"u8);
                at += "Infinity".Length;
                found = true;
            }
            else if (rest.StartsWith("NaN"u8))
            {
                output.Write("null"u8);
                at += "NaN".Length;
                found = true;
            }
            else
            {
                output.WriteByte(rest[0]);
                at++;
            }
        }
        repaired = found ? output.ToArray() : [];
        return found;
    }

    /// <summary>Bytes of the string that starts here, both quotes included; all the rest when it does not end.</summary>
    private static int StringLength(ReadOnlySpan<byte> text)
    {
        for (var at = 1; at < text.Length; at++)
        {
            if (text[at] == '\\')
                at++;
            else if (text[at] == '"')
                return at + 1;
        }
        return text.Length;
    }

    private static long? Offset(ReadOnlySpan<byte> json, JsonException failure)
    {
        if (failure.LineNumber is not { } line || failure.BytePositionInLine is not { } column)
            return null;
        var start = 0;
        for (; line > 0; line--)
            start += json[start..].IndexOf((byte)'\n') + 1;
        return start + column;
    }
}
