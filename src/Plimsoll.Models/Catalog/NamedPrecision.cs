using System.Text.RegularExpressions;

namespace Plimsoll.Models.Catalog;

/// <summary>The precision that the name of a published model states: <c>Qwen2.5-7B-Instruct-AWQ</c>, <c>Qwen3-8B-FP8</c>, <c>gemma-3-27b-Q4_K_M</c>.</summary>
public static partial class NamedPrecision
{
    /// <summary>Endings in the order in which they are tried, with the precision name that they mean.</summary>
    private static readonly (Regex Ending, string Precision)[] Endings =
    [
        (Gptq, "gptq:$1bit-g128"),
        (Awq, "awq:4bit-g128"),
        (Fp8Dynamic, "fp8:channel"),
        (Fp8, "fp8:block128"),
        (NvFp4, "nvfp4"),
        (MxFp4, "mxfp4"),
        (BitsAndBytes, "nf4"),
        (W4A16, "ct:w4a16-g128"),
        (W8A8, "ct:w8a8"),
        (Gguf, "gguf:$1"),
    ];

    [GeneratedRegex(@"[-_]gptq[-_](?:int)?([2348])(?:[-_]?bits?)?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Gptq { get; }

    [GeneratedRegex(@"[-_]awq(?:[-_]int4)?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Awq { get; }

    [GeneratedRegex(@"[-_]fp8[-_]dynamic$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Fp8Dynamic { get; }

    [GeneratedRegex(@"[-_]fp8$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Fp8 { get; }

    [GeneratedRegex(@"[-_](?:nv)fp4$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NvFp4 { get; }

    [GeneratedRegex(@"[-_]mxfp4$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex MxFp4 { get; }

    [GeneratedRegex(@"[-_]bnb(?:[-_]4bit)?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex BitsAndBytes { get; }

    [GeneratedRegex(@"[-_.]w4a16$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex W4A16 { get; }

    [GeneratedRegex(@"[-_.]w8a8$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex W8A8 { get; }

    [GeneratedRegex(@"[-_.:](i?q\d(?:_(?:\d|k|s|m|l|xs|xxs|nl))+|i?q\d_\d)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Gguf { get; }

    /// <summary>The precision that the end of <paramref name="name"/> states, as a precision name; null when it states none.</summary>
    public static string? Of(string name)
    {
        var text = name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? name[..^5] : name;
        foreach (var (ending, precision) in Endings)
        {
            if (ending.Match(text) is { Success: true } match)
                return match.Result(precision).ToLowerInvariant();
        }
        return null;
    }
}
