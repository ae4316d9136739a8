using Plimsoll.Numerics.Codecs;
using static Plimsoll.Numerics.Explanations.NumberExplanation;

namespace Plimsoll.Numerics.Explanations;

/// <summary>Sign, exponent and mantissa, the two neighbours, the rounded number; overflow shown as overflow.</summary>
internal static class FloatExplanation
{
    public static NumberExplanation Of(NumberFormat format, double value, ExplanationOptions options)
    {
        if (options.ZeroPoint is not null || options.Symmetric is not null)
            throw new ExplanationRefusedException($"{format.Name} is a floating-point format: it has no zero point and is always symmetric", "leave out --zero-point, --symmetric and --asymmetric");

        var layout = format.Layout!;
        var steps = new List<ExplanationStep>();
        var scale = Scale(layout, options, steps);
        var scaled = value / scale;
        if (scale != 1)
            steps.Add(ExplanationStep.Number("scaled", $"x / scale = {Text(value)} / {Text(scale)}", scaled));
        AddBinary(scaled, steps);

        // Scaled codes are written by quantizers, which saturate; a bare number is cast.
        var code = layout.Encode(scaled, options.Range is null && options.Scale is null ? FloatOverflow.Cast : FloatOverflow.Saturate);
        var decoded = layout.Decode(code);
        var cast = layout.Decode(layout.Encode(scaled));
        var overflow = !double.IsFinite(cast) || (layout.Specials == FloatSpecials.None && Math.Abs(scaled) > layout.MaxValue);
        AddNeighbours(format.Name, layout, scaled, overflow, steps);
        steps.Add(ExplanationStep.Words("bits", $"sign, {layout.ExponentBits} exponent bits (bias {layout.Bias}), {layout.MantissaBits} mantissa bits", layout.BitString(code)));
        steps.Add(ExplanationStep.Number("rounded", overflow ? OverflowRule(layout) : "the nearest, ties to the even code", decoded));
        if (overflow && double.IsFinite(decoded) != double.IsFinite(cast))
            steps.Add(ExplanationStep.Number("cast", "a plain cast would give", cast));
        if (overflow && !double.IsFinite(decoded))
            steps.Add(ExplanationStep.Number("saturated", "a saturating conversion, as quantizers use, would give", layout.Decode(layout.Encode(scaled, FloatOverflow.Saturate))));
        if (scale != 1)
            steps.Add(ExplanationStep.Number("dequantized", $"code × scale = {Text(decoded)} × {Text(scale)}", decoded * scale));

        var result = decoded * scale;
        return new()
        {
            Format = format,
            Value = value,
            Steps = [.. steps],
            Code = $"0x{code.ToString($"X{(layout.Bits + 3) / 4}")}",
            Result = result,
            Overflow = overflow,
            Clamped = overflow && double.IsFinite(decoded),
            Verdict = Verdict(format, layout, value, result, decoded, overflow),
        };
    }

    private static double Scale(FloatLayout layout, ExplanationOptions options, List<ExplanationStep> steps)
    {
        if (options.Scale is { } given)
        {
            steps.Add(ExplanationStep.Number("scale", "as given", given));
            return given;
        }
        if (options.Range is not { } range)
            return 1;
        var largest = Math.Max(Math.Abs(range.Minimum), Math.Abs(range.Maximum));
        if (!(largest / layout.MaxValue > 0))
            throw new ExplanationRefusedException("a range of only zeros has no scale", "give the smallest and largest weight, for example --range -1,1");
        steps.Add(ExplanationStep.Number("scale", $"largest magnitude / largest code = {Text(largest)} / {Text(layout.MaxValue)}", largest / layout.MaxValue));
        return largest / layout.MaxValue;
    }

    private static void AddBinary(double value, List<ExplanationStep> steps)
    {
        if (value == 0 || !double.IsFinite(value))
            return;
        var exponent = Math.ILogB(value);
        steps.Add(ExplanationStep.Words("binary", "± significand × 2^exponent", $"{(value < 0 ? "-" : "+")}{Text(Math.ScaleB(Math.Abs(value), -exponent))} × 2^{exponent}"));
    }

    private static void AddNeighbours(string name, FloatLayout layout, double value, bool overflow, List<ExplanationStep> steps)
    {
        var (below, above) = layout.Neighbours(value);
        var sign = double.IsNegative(value) ? -1 : 1;
        var inner = sign * layout.Decode(below);
        if (above is null)
            steps.Add(ExplanationStep.Words("neighbours", overflow ? $"{name} ends at" : "nearest the end of the format", $"{Text(inner)} (nothing beyond)"));
        else if (above == below)
            steps.Add(ExplanationStep.Words("neighbours", "the number is exactly representable", Text(inner)));
        else
        {
            var outer = sign * layout.Decode(above.Value);
            var (left, right) = sign < 0 ? (outer, inner) : (inner, outer);
            steps.Add(ExplanationStep.Words("neighbours", $"{Text(Math.Abs(right - left))} apart", $"{Text(left)} and {Text(right)}"));
        }
    }

    private static string OverflowRule(FloatLayout layout) => layout.Specials switch
    {
        FloatSpecials.InfinityAndNan => "overflow: past the largest finite number",
        FloatSpecials.None => "overflow: the format has neither infinity nor NaN, so the largest stands in",
        _ => "overflow: the format has no infinity",
    };

    private static string Verdict(NumberFormat format, FloatLayout layout, double value, double result, double decoded, bool overflow)
    {
        if (overflow)
            return double.IsFinite(decoded)
                ? $"{Text(value)} overflows {format.Name} and saturates at {Text(result)}."
                : $"{Text(value)} overflows {format.Name}, whose largest finite number is {Text(layout.MaxValue)}: it becomes {Text(result)}.";
        if (result == value)
            return $"{format.Name} holds {Text(value)} exactly.";
        if (result == 0)
            return $"{Text(value)} underflows to zero: the smallest magnitude is {Text(layout.MinSubnormal)} before any scale.";
        return $"{Text(value)} becomes {Text(result)}.";
    }
}
