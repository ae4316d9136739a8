using System.CommandLine;
using System.Globalization;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Quantize.Sizing;

/// <summary>How large a file is to be: <c>--target 4.5bpw</c> or <c>--target-size 4.9GiB</c>.</summary>
/// <param name="BitsPerWeight">Of all tensors; null where the file's bytes are given.</param>
/// <param name="FileBytes">Header included; null where bits are given.</param>
internal sealed record SizeGoal(double? BitsPerWeight, long? FileBytes)
{
    private const string BitsSuffix = "bpw";
    private const double MostBits = 16;
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>Null where no size is asked for.</summary>
    /// <exception cref="CliException">The size cannot be read, or there are two.</exception>
    public static SizeGoal? Read(ParseResult parsed)
    {
        var (bits, bytes) = (parsed.GetValue(QuantizeOptions.Target), parsed.GetValue(QuantizeOptions.TargetSize));
        if (bits is null)
            return bytes is null ? null : new(null, bytes);
        if (bytes is not null)
            throw CliException.WrongUsage("--target and --target-size both say how large the file is to be", "give one of them");
        var number = bits.EndsWith(BitsSuffix, StringComparison.OrdinalIgnoreCase) ? bits[..^BitsSuffix.Length] : bits;
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, Culture, out var value) && value is > 0 and <= MostBits
            ? new(value, null)
            : throw CliException.WrongUsage($"--target takes bits per weight up to {MostBits.ToString(Culture)}, such as 4.5bpw, not '{bits}'", "a size in bytes is --target-size: 4.9GiB");
    }

    /// <summary>Bytes that the tensors may take.</summary>
    /// <param name="weights">Weights of all tensors.</param>
    /// <param name="headerBytes">What a file has before its tensors.</param>
    public long TensorBytes(long weights, long headerBytes) => FileBytes - headerBytes ?? (long)(BitsPerWeight!.Value * weights / 8);

    /// <summary>As on the command line.</summary>
    public override string ToString() => BitsPerWeight is { } bits ? $"--target {bits.ToString(Culture)}bpw" : $"--target-size {FileBytes!.Value.ToString(Culture)}";

    /// <summary>What a number of bytes of tensors comes to, in the unit of the goal.</summary>
    public string Show(long tensorBytes, long weights, long headerBytes) => BitsPerWeight is null
        ? new ByteSize(tensorBytes + headerBytes).ToDecimalString()
        : $"{(8.0 * tensorBytes / weights).ToString("0.000", Culture)} bits per weight";
}
