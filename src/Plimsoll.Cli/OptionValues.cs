using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Cli;

/// <summary>Reads option values that people write in several ways, and says what is wrong with the rest.</summary>
internal static class OptionValues
{
    /// <summary>No model, cache or batch of the next years comes near it; beyond it is a typing mistake.</summary>
    public const long MaxTokens = 1L << 30;

    public static Option<long?> Tokens(string name, string description) => new(name) { Description = description, CustomParser = ParseTokens };

    public static Option<int?> Count(string name, string description, int minimum = 1, int maximum = 1 << 20) => new(name)
    {
        Description = description,
        CustomParser = result => ParseCount(result, minimum, maximum),
    };

    /// <summary>A number of bytes: <c>2GB</c>, <c>500MiB</c>.</summary>
    public static Option<long?> Bytes(string name, string description, long minimum) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (ByteSize.TryParse(text, out var size) && size.Bytes >= minimum)
                return size.Bytes;
            result.AddError($"{Name(result)} takes a size of at least {new ByteSize(minimum).ToDecimalString()}, such as 2GB or 500MiB, not '{text}'.");
            return null;
        },
    };

    /// <summary><c>8192</c>, <c>8k</c> (8 x 1024), <c>1m</c>.</summary>
    private static long? ParseTokens(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        var unit = text.Length == 0 ? 1 : char.ToLowerInvariant(text[^1]) switch { 'k' => 1024, 'm' => 1024 * 1024, _ => 1 };
        var digits = unit == 1 ? text : text[..^1];
        if (double.TryParse(digits.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * unit is >= 1 and <= MaxTokens && number * unit == Math.Floor(number * unit))
            return (long)(number * unit);
        result.AddError($"{Name(result)} takes a number of tokens from 1 to {MaxTokens.ToString("N0", CultureInfo.InvariantCulture)}, such as 8192 or 8k, not '{text}'.");
        return null;
    }

    private static int? ParseCount(ArgumentResult result, int minimum, int maximum)
    {
        var text = result.Tokens[^1].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
            return number;
        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{Name(result)} takes a whole number from {minimum} to {maximum}, not '{text}'."));
        return null;
    }

    private static string Name(ArgumentResult result) => result.Parent is OptionResult option ? option.Option.Name : result.Argument.Name;
}
