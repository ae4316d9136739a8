using System.Globalization;
using Plimsoll.Numerics.Codecs;
using static Plimsoll.Numerics.Explanations.NumberExplanation;

namespace Plimsoll.Numerics.Explanations;

/// <summary>One number of a block whose smallest and largest value are known: scale as stored, code, and back.</summary>
/// <remarks>
/// Shows the plain rule of each format, the start from which ggml's quantizers search. Sources: ggml-quants.c (reference quantizers),
/// bitsandbytes functional.py, OCP Microscaling Formats 1.0 section 6.3, compressed-tensors (NVFP4).
/// </remarks>
internal static class BlockExplanation
{
    public static NumberExplanation Of(NumberFormat format, double value, ExplanationOptions options)
    {
        var rule = Rule(format);
        var range = Range(format, value, options);
        var steps = new List<ExplanationStep>
        {
            ExplanationStep.Words("block", $"smallest and largest of the {Elements(format)}", $"{Text(range.Minimum)} … {Text(range.Maximum)}"),
        };
        var (code, result) = rule(value, range, steps);
        return new()
        {
            Format = format,
            Value = value,
            Steps = [.. steps],
            Code = code,
            Result = result,
            Verdict = result == value
                ? $"In this block {format.Name} holds {Text(value)} exactly."
                : $"In this block {Text(value)} becomes {Text(result)}.",
        };
    }

    /// <summary>A value and the block's extremes in, steps noted, code and dequantized value out.</summary>
    private delegate (string Code, double Result) BlockRule(double value, BlockRange range, List<ExplanationStep> steps);

    private static BlockRule Rule(NumberFormat format) => format.Name switch
    {
        "Q8_0" => Absmax(127),
        "Q5_0" => SignedMaximum(16, 1),
        "Q4_0" => SignedMaximum(8, 1),
        "Q6_K" => SignedMaximum(32, -128),
        "Q3_K" => SignedMaximum(4, -32),
        "Q5_1" => WithMinimum(31, 1),
        "Q4_1" => WithMinimum(15, 1),
        "Q5_K" => WithMinimum(31, 63),
        "Q4_K" => WithMinimum(15, 63),
        "Q2_K" => WithMinimum(3, 15),
        "TQ1_0" or "TQ2_0" => Absmax(1),
        "IQ4_NL" => FromCodebook(Codebook.Iq4Nl, range => range.SignedMaximum / Codebook.Iq4Nl.Values[0], "signed maximum / −127", half: true),
        "NF4" or "NF4_DQ" => FromCodebook(Codebook.Nf4, range => range.Largest, "largest magnitude", half: false),
        "FP4_BNB" => FromCodebook(Codebook.BitsAndBytesFp4, range => range.Largest, "largest magnitude", half: false),
        "MXFP4" => Microscaling(FloatLayout.E2M1),
        "MXFP6" => Microscaling(FloatLayout.E2M3),
        "MXFP8" => Microscaling(FloatLayout.E4M3),
        "NVFP4" or "NVFP4_GGML" => ScaledByE4M3,
        _ => throw new ExplanationRefusedException(
            $"{format.Name} chooses codes for several numbers at once ({format.Summary}), so one number cannot be explained alone",
            "explain Q8_0, Q4_0, Q4_K, NF4, MXFP4 or NVFP4 instead"),
    };

    private static BlockRange Range(NumberFormat format, double value, ExplanationOptions options)
    {
        if (options.Scale is not null || options.ZeroPoint is not null || options.Symmetric is not null)
            throw new ExplanationRefusedException($"{format.Name} derives its scale from the block and its own rule", "give only --range MIN,MAX");
        if (options.Range is not { } range)
            throw new ExplanationRefusedException(
                $"{format.Name} stores codes relative to the largest values of the block",
                "add --range MIN,MAX: the smallest and largest value of the block, for example --range -1,1");
        if (value < range.Minimum || value > range.Maximum)
            throw new ExplanationRefusedException(
                $"{Text(value)} lies outside {Text(range.Minimum)} … {Text(range.Maximum)}",
                "for a block format --range is the smallest and largest value of the block, the number itself included");
        return new(range.Minimum, range.Maximum);
    }

    private static string Elements(NumberFormat format) => format.Name switch
    {
        "Q2_K" or "Q3_K" or "Q6_K" => "16 elements of a sub-block",
        "Q4_K" or "Q5_K" => "32 elements of a sub-block",
        "NF4_DQ" => "64 elements of a block (its absmax taken as exact)",
        "NVFP4_GGML" => "16 elements that share a scale",
        _ => $"{format.BlockLength} elements of the block",
    };

    private static BlockRule Absmax(int levels) => (value, range, steps) =>
    {
        var scale = StoredHalf(range.Largest / levels, $"largest magnitude / {levels}", steps);
        var code = RoundedCode(value, range.Largest / levels, -levels, levels, TiesAway, steps);
        return Finish(code, code, scale, steps);
    };

    /// <summary>The value of largest magnitude, with its sign, becomes the code −levels, which the positive side lacks.</summary>
    private static BlockRule SignedMaximum(int levels, int superScale) => (value, range, steps) =>
    {
        var wanted = range.SignedMaximum / -levels;
        var scale = superScale == 1
            ? StoredHalf(wanted, $"signed maximum / −{levels}", steps)
            : SuperBlock("scale", wanted, superScale, $"signed maximum / −{levels}", steps);
        var code = RoundedCode(value, wanted, -levels, levels - 1, superScale == 1 ? TiesUp : Math.Round, steps);
        steps.Add(ExplanationStep.Number("stored_code", $"stored unsigned: code + {levels}", code + levels));
        return Finish(code, code + levels, scale, steps);
    };

    private static BlockRule WithMinimum(int levels, int superScale) => (value, range, steps) =>
    {
        // K-quants store the negated minimum unsigned, so it is never above zero; the legacy types store it as it is.
        var minimum = superScale == 1 ? range.Minimum : Math.Min(range.Minimum, 0);
        var wanted = (range.Maximum - minimum) / levels;
        var scale = superScale == 1
            ? StoredHalf(wanted, $"(max − min) / {levels}", steps)
            : SuperBlock("scale", wanted, superScale, $"(max − min) / {levels}", steps);
        var stored = superScale == 1 ? (double)(Half)minimum : SuperBlock("minimum", minimum, superScale, "min, not above zero", steps);
        if (superScale == 1)
            steps.Add(ExplanationStep.Number("stored_minimum", "min as FP16", stored));
        var code = RoundedCode(value - minimum, wanted, 0, levels, superScale == 1 ? TiesUp : Math.Round, steps, "(x − min) / scale");
        var result = code * scale + stored;
        steps.Add(ExplanationStep.Number("dequantized", $"code × scale + min = {code} × {Text(scale)} + {Text(stored)}", result));
        return (code.ToString(CultureInfo.InvariantCulture), result);
    };

    private static BlockRule FromCodebook(Codebook codebook, Func<BlockRange, double> wanted, string formula, bool half) => (value, range, steps) =>
    {
        var exact = wanted(range);
        var scale = half ? StoredHalf(exact, formula, steps) : (float)exact;
        if (!half)
            steps.Add(ExplanationStep.Number("scale", $"{formula}, as FP32", scale));
        var scaled = exact == 0 ? 0 : value / exact;
        var code = codebook.Encode(scaled);
        steps.Add(ExplanationStep.Number("scaled", "x / scale", scaled));
        steps.Add(ExplanationStep.Number("codebook", $"nearest of the 16 values: number {code}", codebook.Decode(code)));
        var result = codebook.Decode(code) * scale;
        steps.Add(ExplanationStep.Number("dequantized", $"value × scale = {Text(codebook.Decode(code))} × {Text(scale)}", result));
        return (code.ToString(CultureInfo.InvariantCulture), result);
    };

    private static BlockRule Microscaling(FloatLayout layout) => (value, range, steps) =>
    {
        var largestExponent = Math.ILogB(layout.MaxValue);
        var exponent = range.Largest == 0 ? -E8M0.Bias : Math.ILogB(range.Largest) - largestExponent;
        var scaleCode = E8M0.Encode(Math.ScaleB(1, Math.Clamp(exponent, -E8M0.Bias, E8M0.Bias)), E8M0Rounding.Down);
        var scale = E8M0.Decode(scaleCode);
        steps.Add(ExplanationStep.Number("scale", $"2^(floor(log2 {Text(range.Largest)}) − {largestExponent}), E8M0 code {scaleCode}", scale));
        return Element(layout, value, scale, steps);
    };

    private static (string Code, double Result) ScaledByE4M3(double value, BlockRange range, List<ExplanationStep> steps)
    {
        var scale = FloatLayout.E4M3.Decode(FloatLayout.E4M3.Encode(range.Largest / FloatLayout.E2M1.MaxValue, FloatOverflow.Saturate));
        steps.Add(ExplanationStep.Number("scale", $"largest magnitude / 6 = {Text(range.Largest)} / 6, as E4M3 (scale of the whole tensor taken as 1)", scale));
        return Element(FloatLayout.E2M1, value, scale, steps);
    }

    private static (string Code, double Result) Element(FloatLayout layout, double value, double scale, List<ExplanationStep> steps)
    {
        var scaled = scale == 0 ? 0 : value / scale;
        var code = layout.Encode(scaled, FloatOverflow.Saturate);
        var decoded = layout.Decode(code);
        steps.Add(ExplanationStep.Number("scaled", $"x / scale = {Text(value)} / {Text(scale)}", scaled));
        steps.Add(ExplanationStep.Words("bits", $"sign, {layout.ExponentBits} exponent bits (bias {layout.Bias}), {layout.MantissaBits} mantissa bits", layout.BitString(code)));
        var saturated = Math.Abs(scaled) > layout.MaxValue ? $"past the largest code: saturates at {Text(layout.MaxValue)}" : "the nearest, ties to the even code";
        steps.Add(ExplanationStep.Number("rounded", saturated, decoded));
        steps.Add(ExplanationStep.Number("dequantized", $"code × scale = {Text(decoded)} × {Text(scale)}", decoded * scale));
        return ($"0x{code:X}", decoded * scale);
    }

    private static double StoredHalf(double wanted, string formula, List<ExplanationStep> steps)
    {
        var stored = (double)(Half)wanted;
        if (!double.IsFinite(stored))
            throw new ExplanationRefusedException($"the scale of this block, {Text(wanted)}, overflows FP16");
        steps.Add(ExplanationStep.Number("scale", formula, wanted));
        steps.Add(ExplanationStep.Number("stored_scale", "the scale as FP16", stored));
        return stored;
    }

    /// <summary>A K-quant scale: the largest sub-block takes the largest integer scale, times one FP16 for the whole super-block.</summary>
    private static double SuperBlock(string name, double wanted, int largest, string formula, List<ExplanationStep> steps)
    {
        var stored = (double)(Half)(wanted / largest) * largest;
        if (!double.IsFinite(stored))
            throw new ExplanationRefusedException($"the {name} of this block, {Text(wanted)}, overflows FP16");
        steps.Add(ExplanationStep.Number(name, formula, wanted));
        steps.Add(ExplanationStep.Number($"stored_{name}", $"FP16({name} / {largest}) × {largest}, if this is the largest sub-block", stored));
        return stored;
    }

    private static int RoundedCode(double value, double scale, int minimum, int maximum, Func<double, double> round, List<ExplanationStep> steps, string formula = "x / scale")
    {
        var scaled = scale == 0 ? 0 : value / scale;
        var code = (int)Math.Clamp(round(scaled), minimum, maximum);
        steps.Add(ExplanationStep.Number("scaled", formula, scaled));
        steps.Add(ExplanationStep.Number("code", $"to the nearest integer, clamped to {minimum} … {maximum}", code));
        return code;
    }

    /// <summary>C's <c>roundf</c>, which ggml uses for Q8_0.</summary>
    private static double TiesAway(double value) => Math.Round(value, MidpointRounding.AwayFromZero);

    /// <summary>ggml's legacy quantizers truncate x + 0.5 of a code that is never negative. K-quants round half to even.</summary>
    private static double TiesUp(double value) => Math.Floor(value + 0.5);

    private static (string Code, double Result) Finish(int code, int stored, double scale, List<ExplanationStep> steps)
    {
        steps.Add(ExplanationStep.Number("dequantized", $"code × scale = {code} × {Text(scale)}", code * scale));
        return (stored.ToString(CultureInfo.InvariantCulture), code * scale);
    }

    private readonly record struct BlockRange(double Minimum, double Maximum)
    {
        public double Largest => Math.Max(Math.Abs(Minimum), Math.Abs(Maximum));

        /// <summary>The extreme of larger magnitude, with its sign; of two equal ones the negative.</summary>
        public double SignedMaximum => Math.Abs(Minimum) >= Math.Abs(Maximum) ? Minimum : Maximum;
    }
}
