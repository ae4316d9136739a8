using System.Text.RegularExpressions;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;

namespace Plimsoll.Quantization.Gguf;

/// <summary>A tensor type for every tensor in whose name a pattern is found: <c>ffn_down=q6_k</c>.</summary>
public sealed record GgufTypeOverride(Regex Pattern, NumberFormat Type)
{
    /// <summary>Patterns are short and names too; a second is for those that were made to take long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Reads <c>REGEX=TYPE</c>; the last equals sign divides.</summary>
    /// <exception cref="QuantizationRefusedException">There is no type, ggml has no such type, or the pattern is no regular expression.</exception>
    public static GgufTypeOverride Parse(string text)
    {
        var at = text.LastIndexOf('=');
        if (at <= 0)
            throw new QuantizationRefusedException($"'{text}' is no tensor type; write REGEX=TYPE, as in 'ffn_down=q6_k'.");
        try
        {
            return new(new Regex(text[..at], RegexOptions.CultureInvariant, Patience), ParseType(text[(at + 1)..]));
        }
        catch (RegexParseException failure)
        {
            throw new QuantizationRefusedException($"'{text[..at]}' is no regular expression: {failure.Message}");
        }
    }

    /// <summary>Reads a tensor type that a file can hold: <c>q6_k</c>, <c>bf16</c>.</summary>
    /// <exception cref="QuantizationRefusedException">ggml has no such type, or keeps it to itself.</exception>
    public static NumberFormat ParseType(string name)
    {
        var format = name.Trim().ToUpperInvariant() switch
        {
            "NVFP4" => GgufFileType.Type("NVFP4"),
            var upper => NumberFormats.Find(upper),
        };
        // Q8_1 and Q8_K are for activations; the plain integers hold no weights.
        if (format is null or { GgmlType: null } or { Name: "Q8_1" or "Q8_K" or "FP64" } or { Kind: NumberFormatKind.Integer })
            throw new QuantizationRefusedException($"'{name}' is no tensor type of a GGUF file; known are {string.Join(", ", Names())}.");
        return format;
    }

    private static IEnumerable<string> Names() =>
        NumberFormats.All
            .Where(format => format is { GgmlType: not null, Kind: not NumberFormatKind.Integer, Name: not ("Q8_1" or "Q8_K" or "FP64") })
            .Select(format => format.Name switch { "NVFP4_GGML" => "nvfp4", "FP32" => "f32", "FP16" => "f16", var name => name.ToLowerInvariant() });
}
