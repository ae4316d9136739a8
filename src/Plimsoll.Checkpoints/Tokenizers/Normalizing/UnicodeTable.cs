using System.Globalization;

namespace Plimsoll.Checkpoints.Tokenizers.Normalizing;

/// <summary>Decompositions and combining classes of Unicode, from the embedded table (<c>tools/unicode</c>).</summary>
internal sealed class UnicodeTable
{
    private static readonly Lazy<UnicodeTable> Loaded = new(() => new());

    private readonly Dictionary<int, int[]> _canonical = [];
    private readonly Dictionary<int, int[]> _compatible = [];
    private readonly Dictionary<(int, int), int> _compositions = [];
    private readonly Dictionary<int, byte> _classes = [];

    private UnicodeTable()
    {
        using var stream = typeof(UnicodeTable).Assembly.GetManifestResourceStream("decompositions.txt")!;
        using var reader = new StreamReader(stream);
        Span<Range> fields = stackalloc Range[32];
        while (reader.ReadLine() is { } line)
        {
            if (line[0] == '#')
                continue;
            var count = line.AsSpan().Split(fields, ' ');
            var code = Hex(line.AsSpan(fields[1]));
            if (line[0] == 'M')
            {
                _classes[code] = byte.Parse(line.AsSpan(fields[2]), CultureInfo.InvariantCulture);
                continue;
            }
            var parts = new int[count - 2];
            for (var index = 0; index < parts.Length; index++)
                parts[index] = Hex(line.AsSpan(fields[index + 2]));
            (line[0] == 'K' ? _compatible : _canonical)[code] = parts;
            if (line[0] == 'C' && parts.Length == 2)
                _compositions[(parts[0], parts[1])] = code;
        }
    }

    public static UnicodeTable Instance => Loaded.Value;

    /// <summary>What a code point becomes in one step; null when it stays.</summary>
    public int[]? Decomposition(int code, bool isCompatible) => _canonical.TryGetValue(code, out var parts) || isCompatible && _compatible.TryGetValue(code, out parts) ? parts : null;

    /// <summary>The code point that two neighbours become; −1 when they stay.</summary>
    public int Composition(int first, int second) => _compositions.TryGetValue((first, second), out var code) ? code : -1;

    /// <summary>The order among marks on one character; 0 for what is no mark.</summary>
    public int CombiningClass(int code) => _classes.GetValueOrDefault(code);

    private static int Hex(ReadOnlySpan<char> text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
