using System.Text;

namespace Plimsoll.Checkpoints.Tests.Tokenizers;

/// <summary>Lines of mixed scripts, spaces, marks, emoji and control tokens, the same for the same seed.</summary>
internal static class RandomText
{
    /// <summary>Ranges that were assigned before Unicode 14, so that programs with different tables agree.</summary>
    private static readonly (int First, int Last)[] Ranges =
    [
        (0x20, 0x7E), (0x61, 0x7A), (0x30, 0x39), (0xA1, 0xFF), (0x100, 0x17F), (0x391, 0x3A1), (0x3B1, 0x3C9), (0x410, 0x44F), (0x5D0, 0x5EA), (0x621, 0x64A), (0x660, 0x669),
        (0x905, 0x939), (0x93E, 0x94C), (0x300, 0x36F), (0xE01, 0xE3A), (0x1780, 0x17B3), (0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20BF), (0x2150, 0x2189), (0x2190, 0x21FF), (0x2600, 0x26FF),
        (0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0xFF01, 0xFF5E), (0x10400, 0x1044F), (0x1D400, 0x1D454), (0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x20000, 0x2A6D6),
    ];

    private static readonly string[] Pieces =
    [
        " ", "  ", "    ", "\n", "\n\n", "\t", " \n", "\r\n", "\u00A0", "\u3000", "\u2003", "'s", "'LL", "'re", " the", " and", "Hello", "WORLD", "don't", "123", "4567", "...", "!!!", "----", "<s>", "</s>",
        "<|endoftext|>", "[MASK]", "[SEP]", "<unk>", "\u200D", "\uFE0F", "\u0301", "http://x.y/z?q=1", "if (a[i] != b) {", "▁", "▁▁", "Ġ", "<0x0A>",
    ];

    public static IEnumerable<string> Lines(int seed, int count)
    {
        var random = new Random(seed);
        for (var line = 0; line < count; line++)
        {
            var text = new StringBuilder();
            for (var part = random.Next(1, 24); part > 0; part--)
            {
                if (random.Next(3) == 0)
                {
                    text.Append(Pieces[random.Next(Pieces.Length)]);
                    continue;
                }
                var (first, last) = Ranges[random.Next(Ranges.Length)];
                for (var length = random.Next(1, 7); length > 0; length--)
                    text.Append(new Rune(random.Next(first, last + 1)).ToString());
            }
            yield return text.ToString();
        }
    }
}
