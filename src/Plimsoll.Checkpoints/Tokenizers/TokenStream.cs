using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>Turns tokens into text one by one, as a model makes them: a character whose bytes are spread over tokens comes out with the last of them.</summary>
public sealed class TokenStream(Tokenizer tokenizer, bool keepSpecial = false)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private bool _isFirst = true;

    /// <summary>The text that is complete with this token; may be empty.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public string Add(int id)
    {
        if (tokenizer.IsControl(id) && !keepSpecial)
            return "";
        var bytes = tokenizer.PieceBytes(id);
        // The space before the first word was put there by encoding.
        if (_isFirst && tokenizer.HasSpacePrefix && bytes is [(byte)' ', ..])
            bytes = bytes[1..];
        _isFirst = false;
        return Read(bytes, flush: false);
    }

    /// <summary>What is left when no token follows: U+FFFD for a character that was cut off.</summary>
    public string Flush() => Read([], flush: true);

    private string Read(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> characters = stackalloc char[256];
        if (bytes.Length > 128)
            characters = new char[bytes.Length + 8];
        return new(characters[.._decoder.GetChars(bytes, characters, flush)]);
    }
}
