using System.Text;

namespace Plimsoll.Checkpoints.Tokenizers.Normalizing;

/// <summary>The four normalization forms of Unicode (annex 15), which .NET does not compute without ICU.</summary>
internal static class UnicodeNormalization
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;

    private const int LeadCount = 19, VowelCount = 21, TailCount = 28, HangulCount = LeadCount * VowelCount * TailCount;

    /// <param name="isCompatible">NFKC, NFKD: also replaces characters that only look different (<c>ﬁ</c>, <c>²</c>).</param>
    /// <param name="composes">NFC, NFKC: joins letters and marks again.</param>
    public static string Apply(string text, bool isCompatible, bool composes)
    {
        // Below U+00C0 nothing decomposes canonically, below U+0300 nothing composes; U+00A0 is the first with a compatibility form.
        var first = isCompatible ? '\u00A0' : composes ? '\u0300' : '\u00C0';
        if (text.AsSpan().IndexOfAnyExceptInRange('\0', (char)(first - 1)) < 0)
            return text;
        var codes = new List<int>(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
            Decompose(rune.Value, isCompatible, codes);
        Order(codes);
        if (composes)
            Compose(codes);
        var result = new StringBuilder(codes.Count);
        foreach (var code in codes)
            result.Append(new Rune(code).ToString());
        return result.ToString();
    }

    private static void Decompose(int code, bool isCompatible, List<int> codes)
    {
        var syllable = code - HangulBase;
        if (syllable is >= 0 and < HangulCount)
        {
            codes.Add(LeadBase + syllable / (VowelCount * TailCount));
            codes.Add(VowelBase + syllable % (VowelCount * TailCount) / TailCount);
            if (syllable % TailCount != 0)
                codes.Add(TailBase + syllable % TailCount);
        }
        else if (UnicodeTable.Instance.Decomposition(code, isCompatible) is { } parts)
        {
            foreach (var part in parts)
                Decompose(part, isCompatible, codes);
        }
        else
        {
            codes.Add(code);
        }
    }

    /// <summary>Sorts runs of marks by class; marks of the same class keep their order.</summary>
    private static void Order(List<int> codes)
    {
        for (var index = 1; index < codes.Count; index++)
        {
            var (code, at) = (codes[index], index);
            var order = UnicodeTable.Instance.CombiningClass(code);
            if (order == 0)
                continue;
            while (at > 0 && UnicodeTable.Instance.CombiningClass(codes[at - 1]) > order)
            {
                codes[at] = codes[at - 1];
                at--;
            }
            codes[at] = code;
        }
    }

    private static void Compose(List<int> codes)
    {
        var (starter, kept, lastClass) = (-1, 0, 0);
        for (var index = 0; index < codes.Count; index++)
        {
            var code = codes[index];
            var order = UnicodeTable.Instance.CombiningClass(code);
            // A mark is blocked from its starter by one of the same or a higher class between them.
            var isNext = starter >= 0 && (kept - 1 == starter || lastClass < order);
            if (isNext && Pair(codes[starter], code) is >= 0 and var joined)
            {
                codes[starter] = joined;
                continue;
            }
            if (order == 0)
                starter = kept;
            lastClass = order;
            codes[kept++] = code;
        }
        codes.RemoveRange(kept, codes.Count - kept);
    }

    private static int Pair(int first, int second)
    {
        if (first is >= LeadBase and < LeadBase + LeadCount && second is >= VowelBase and < VowelBase + VowelCount)
            return HangulBase + ((first - LeadBase) * VowelCount + second - VowelBase) * TailCount;
        var syllable = first - HangulBase;
        if (syllable is >= 0 and < HangulCount && syllable % TailCount == 0 && second is > TailBase and < TailBase + TailCount)
            return first + second - TailBase;
        return UnicodeTable.Instance.Composition(first, second);
    }
}
