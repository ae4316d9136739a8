using System.Buffers.Binary;
using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers.Normalizing;

/// <summary>SentencePiece's compiled table of replaced character sequences: the longest that begins at each place is replaced.</summary>
/// <remarks>
/// Layout (google/sentencepiece, src/normalizer.cc): the bytes of a double array as a 32-bit number, the array (darts-clone units of 32 bits), then
/// the replacements, each ended by a zero.
/// </remarks>
internal sealed class CharactersMap
{
    private readonly uint[] _units;
    private readonly byte[] _texts;

    /// <exception cref="CheckpointFormatException">The sizes do not add up.</exception>
    public CharactersMap(string path, ReadOnlySpan<byte> table)
    {
        var length = table.Length < 4 ? -1L : BinaryPrimitives.ReadUInt32LittleEndian(table);
        if (length < 4 || length % 4 != 0 || length + 4 >= table.Length)
            throw new CheckpointFormatException(path, null, "a table of characters with a double array and replacements", $"{table.Length:N0} bytes of which {length:N0} are the array");
        _units = new uint[length / 4];
        for (var index = 0; index < _units.Length; index++)
            _units[index] = BinaryPrimitives.ReadUInt32LittleEndian(table[(4 + index * 4)..]);
        _texts = table[(4 + (int)length)..].ToArray();
    }

    public string Apply(string text)
    {
        var input = Encoding.UTF8.GetBytes(text);
        var output = new List<byte>(input.Length + 16);
        for (var at = 0; at < input.Length;)
        {
            var (length, replacement) = Longest(input.AsSpan(at));
            if (length > 0)
            {
                output.AddRange(Replacement(replacement));
                at += length;
                continue;
            }
            Rune.DecodeFromUtf8(input.AsSpan(at), out _, out length);
            output.AddRange(input.AsSpan(at, length));
            at += length;
        }
        return Encoding.UTF8.GetString([.. output]);
    }

    /// <summary>Walks the double array: unit bits 0–7 and 31 label, bit 8 has a value, bits 10–30 offset, bit 9 scales it by 256.</summary>
    private (int Length, int Replacement) Longest(ReadOnlySpan<byte> input)
    {
        var (best, replacement) = (0, 0);
        var node = Offset(_units[0]);
        // A zero would lead to the value of the node itself.
        for (var at = 0; at < input.Length && input[at] != 0; at++)
        {
            node ^= input[at];
            if (node >= _units.Length || (_units[node] & 0x800000FF) != input[at])
                break;
            var unit = _units[node];
            node ^= Offset(unit);
            if ((unit >> 8 & 1) != 0 && node < _units.Length)
                (best, replacement) = (at + 1, (int)(_units[node] & 0x7FFFFFFF));
        }
        return (best, replacement);
    }

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 1 << 9) >> 6);

    private ReadOnlySpan<byte> Replacement(int start)
    {
        if (start >= _texts.Length)
            return [];
        var rest = _texts.AsSpan(start);
        var end = rest.IndexOf((byte)0);
        return end < 0 ? rest : rest[..end];
    }
}
