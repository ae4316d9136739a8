using System.Globalization;
using System.Text;

namespace Plimsoll.Planning.Gpus;

/// <summary>A GPU name as it can be compared: without case, punctuation, brand words and memory size.</summary>
/// <param name="Base">Letters and digits of the product: <c>rtx4090</c>, <c>a100sxm</c>.</param>
/// <param name="MemoryGiB">The memory size that the name states, such as 80 in <c>A100 80GB PCIe</c>; null when it states none.</param>
internal readonly record struct GpuNameKey(string Base, int? MemoryGiB);

internal static class GpuNames
{
    // Words that drivers, shops and benchmark tables add without meaning another product.
    private static readonly HashSet<string> Noise =
    [
        "nvidia", "amd", "intel", "apple", "geforce", "radeon", "tesla", "instinct", "graphics", "card", "gpu", "core", "accelerator", "generation",
        "edition", "gddr5", "gddr6", "gddr6x", "gddr7", "hbm2", "hbm2e", "hbm3", "hbm3e", "tm", "memory", "vram", "unified",
    ];

    private static readonly string[] FamilyPrefixes = ["rtx", "gtx", "rx", "arc"];

    public static GpuNameKey Parse(string name)
    {
        var words = Words(name);
        var key = new StringBuilder();
        int? memory = null;
        for (var i = 0; i < words.Count; i++)
        {
            var next = i + 1 < words.Count ? words[i + 1] : "";
            if (MemorySize(words[i], next) is { } gibibytes)
            {
                memory = gibibytes;
                if (IsUnit(next))
                    i++;
            }
            else if (next == "core" && int.TryParse(words[i], out _))
                i++; // "40-Core GPU" tells how much of the chip is enabled; it is not a name
            else if (!Noise.Contains(words[i]))
                key.Append(Canonical(words[i]));
        }
        // A name of nothing but such words ("Card 48GB") still is a name.
        return new(key.Length > 0 ? key.ToString() : string.Concat(words.Where(Noise.Contains)), memory);
    }

    /// <summary>The ways in which people shorten a product name: <c>rtx4090</c> is also <c>4090</c>, <c>rx7900xtx</c> also <c>7900xtx</c>.</summary>
    public static IEnumerable<string> Variants(string baseKey)
    {
        yield return baseKey;
        foreach (var prefix in FamilyPrefixes)
        {
            if (baseKey.StartsWith(prefix, StringComparison.Ordinal) && baseKey.Length > prefix.Length && char.IsAsciiDigit(baseKey[prefix.Length]))
                yield return baseKey[prefix.Length..];
        }
    }

    private static List<string> Words(string name)
    {
        var words = new List<string>();
        var start = -1;
        for (var i = 0; i <= name.Length; i++)
        {
            var letter = i < name.Length && char.IsAsciiLetterOrDigit(name[i]);
            if (letter && start < 0)
                start = i;
            if (!letter && start >= 0)
            {
                words.Add(name[start..i].ToLowerInvariant());
                start = -1;
            }
            if (i < name.Length && name[i] == '+')
                words.Add("plus");
        }
        return words;
    }

    /// <summary>24 for <c>24gb</c>, or for <c>24</c> before <c>gb</c>.</summary>
    private static int? MemorySize(string word, string next)
    {
        var digits = word.AsSpan().TrimEnd("gib");
        var hasUnit = digits.Length < word.Length ? IsUnit(word[digits.Length..]) : IsUnit(next);
        return hasUnit && digits.Length is > 0 and <= 4 && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : null;
    }

    private static bool IsUnit(string word) => word is "gb" or "gib" or "g";

    private static string Canonical(string word) => word switch
    {
        "mobile" => "laptop",
        "pci" => "pcie",
        "sxm2" or "sxm3" or "sxm4" or "sxm5" => "sxm",
        _ => word,
    };
}
