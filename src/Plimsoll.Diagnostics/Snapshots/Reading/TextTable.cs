using System.Buffers;
using System.Text;

namespace Plimsoll.Diagnostics.Snapshots.Reading;

/// <summary>Every text once, by number; the words of the format come first.</summary>
internal sealed class TextTable
{
    private readonly List<string> _texts = [.. Words.Names];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public TextTable()
    {
        for (var i = 0; i < _texts.Count; i++)
            _numbers.Add(_texts[i], i);
        _lookup = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public string this[long number] => _texts[(int)number];

    public int Add(ReadOnlySpan<byte> utf8)
    {
        const int OnStack = 512;
        var rented = utf8.Length > OnStack ? ArrayPool<char>.Shared.Rent(utf8.Length) : null;
        var characters = rented ?? stackalloc char[OnStack];
        var text = characters[..Encoding.UTF8.GetChars(utf8, characters)];
        if (!_lookup.TryGetValue(text, out var number))
        {
            number = _texts.Count;
            _texts.Add(text.ToString());
            _numbers.Add(_texts[number], number);
        }
        if (rented is not null)
            ArrayPool<char>.Shared.Return(rented);
        return number;
    }
}
