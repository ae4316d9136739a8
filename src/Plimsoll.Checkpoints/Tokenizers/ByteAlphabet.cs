using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers;

/// <summary>GPT-2's alphabet: a printable character for each of the 256 bytes, so that vocabularies of bytes can be written as text.</summary>
/// <remarks>Bytes that Latin-1 prints stand for themselves; the others, in order, are U+0100 and on. Source: openai/gpt-2, src/encoder.py.</remarks>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = Make();

    private static readonly short[] Bytes = Invert();

    public static char ToCharacter(byte value) => Characters[value];

    /// <summary>The byte that a character stands for; −1 when it is none of the alphabet.</summary>
    public static int ToByte(char character) => character < Bytes.Length ? Bytes[character] : -1;

    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var value in bytes)
            text.Append(Characters[value]);
        return text.ToString();
    }

    /// <summary>The bytes of a token's text; characters outside the alphabet (of added tokens) give their UTF-8.</summary>
    public static byte[] ToBytes(string text)
    {
        var bytes = new List<byte>(text.Length);
        Span<byte> buffer = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsBmp && ToByte((char)rune.Value) is >= 0 and var value)
                bytes.Add((byte)value);
            else
                bytes.AddRange(buffer[..rune.EncodeToUtf8(buffer)]);
        }
        return [.. bytes];
    }

    private static char[] Make()
    {
        var characters = new char[256];
        var next = '\u0100';
        for (var value = 0; value < 256; value++)
            characters[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)value : next++;
        return characters;
    }

    private static short[] Invert()
    {
        var bytes = new short[Characters.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < 256; value++)
            bytes[Characters[value]] = (short)value;
        return bytes;
    }
}
