using System.Globalization;
using Plimsoll.Numerics.Codecs;
using static Plimsoll.Numerics.Explanations.NumberExplanation;

namespace Plimsoll.Numerics.Explanations;

/// <summary>range → scale → zero point → x / scale + zero point → rounded → clamped → dequantized.</summary>
internal static class IntegerExplanation
{
    public static NumberExplanation Of(NumberFormat format, double value, ExplanationOptions options)
    {
        if (format.IntegerBits is not { } bits || bits > AffineQuantization.MaxBits)
            throw new ExplanationRefusedException(
                $"{format.Name} holds counts and flags, not quantized weights",
                $"explain an integer of {AffineQuantization.MinBits} to {AffineQuantization.MaxBits} bits, for example int8 or int4");

        var steps = new List<ExplanationStep>();
        var affine = Choose(format, bits, options, steps);
        var scaled = value / affine.Scale + affine.ZeroPoint;
        var rounded = Math.Round(value / affine.Scale, MidpointRounding.ToEven) + affine.ZeroPoint;
        var code = affine.Quantize(value);
        var result = affine.Dequantize(code);
        var clamped = rounded != code;
        var zero = Signed(affine.ZeroPoint);

        steps.Add(ExplanationStep.Number("scaled", $"x / scale + zero point = {Text(value)} / {Text(affine.Scale)}{zero}", scaled));
        steps.Add(ExplanationStep.Number("rounded", "to the nearest integer, half to even", rounded));
        steps.Add(ExplanationStep.Number("code", $"clamped to {affine.Minimum} … {affine.Maximum}", code));
        steps.Add(ExplanationStep.Number("dequantized", $"scale × (code − zero point) = {Text(affine.Scale)} × ({code}{Signed(-affine.ZeroPoint)})", result));
        return new()
        {
            Format = format,
            Value = value,
            Steps = [.. steps],
            Code = code.ToString(CultureInfo.InvariantCulture),
            Result = result,
            Clamped = clamped,
            Verdict = clamped
                ? $"{Text(value)} is cut off: {format.Name} reaches only {Text(affine.Dequantize(affine.Minimum))} … {Text(affine.Dequantize(affine.Maximum))} at this scale."
                : $"{Text(value)} becomes the code {code} and comes back as {Text(result)}; a value in range is never off by more than half a step, {Text(affine.Scale / 2)}.",
        };
    }

    private static AffineQuantization Choose(NumberFormat format, int bits, ExplanationOptions options, List<ExplanationStep> steps)
    {
        var symmetric = options.Symmetric ?? format.IsSigned;
        if (options.Scale is { } scale)
        {
            var zero = options.ZeroPoint ?? (format.IsSigned || !symmetric ? 0 : 1 << (bits - 1));
            try
            {
                var given = AffineQuantization.FromScale(scale, zero, bits, format.IsSigned);
                steps.Add(ExplanationStep.Number("scale", "as given", scale));
                steps.Add(ExplanationStep.Number("zero_point", options.ZeroPoint is null ? "the code of zero" : "as given", zero));
                return given;
            }
            catch (ArgumentException refused)
            {
                throw new ExplanationRefusedException(refused.Message.Split(" (Parameter", 2)[0]);
            }
        }
        if (options.ZeroPoint is not null)
            throw new ExplanationRefusedException("a zero point needs the scale that it belongs to", "add --scale S, or leave the zero point to --range MIN,MAX");
        if (options.Range is not { } range)
            throw new ExplanationRefusedException(
                $"{format.Name} stores integers; what they mean depends on the range of the weights",
                "add --range MIN,MAX (for example --range -1,1) or --scale S");

        var affine = AffineQuantization.FromRange(range.Minimum, range.Maximum, bits, format.IsSigned, symmetric ? AffineScheme.Symmetric : AffineScheme.Asymmetric);
        AddRange(range.Minimum, range.Maximum, affine, symmetric, bits, steps);
        return affine;
    }

    private static void AddRange(double minimum, double maximum, AffineQuantization affine, bool symmetric, int bits, List<ExplanationStep> steps)
    {
        if (symmetric)
        {
            var largest = Math.Max(Math.Abs(minimum), Math.Abs(maximum));
            steps.Add(ExplanationStep.Words("range", "symmetric: ± the largest magnitude", $"{Text(-largest)} … {Text(largest)}"));
            steps.Add(ExplanationStep.Number("scale", $"largest / (2^{bits - 1} − 1) = {Text(largest)} / {(1 << (bits - 1)) - 1}", affine.Scale));
            steps.Add(ExplanationStep.Number("zero_point", affine.ZeroPoint == 0 ? "symmetric: zero is the code 0" : $"symmetric, unsigned: 2^{bits - 1}", affine.ZeroPoint));
            return;
        }
        var (low, high) = (Math.Min(minimum, 0), Math.Max(maximum, 0));
        steps.Add(ExplanationStep.Words("range", "asymmetric: widened to contain zero", $"{Text(low)} … {Text(high)}"));
        steps.Add(ExplanationStep.Number("scale", $"(max − min) / (2^{bits} − 1) = {Text(high - low)} / {(1 << bits) - 1}", affine.Scale));
        steps.Add(ExplanationStep.Number("zero_point", $"smallest code − round(min / scale) = {affine.Minimum} − round({Text(low)} / {Text(affine.Scale)})", affine.ZeroPoint));
    }

    private static string Signed(int number) => number < 0 ? $" − {-(long)number}" : $" + {number}";
}
