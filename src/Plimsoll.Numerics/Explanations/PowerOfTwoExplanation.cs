using Plimsoll.Numerics.Codecs;
using static Plimsoll.Numerics.Explanations.NumberExplanation;

namespace Plimsoll.Numerics.Explanations;

/// <summary>E8M0: which power of two stands for a scale, by the three roundings in use.</summary>
internal static class PowerOfTwoExplanation
{
    public static NumberExplanation Of(NumberFormat format, double value, ExplanationOptions options)
    {
        if (options != new ExplanationOptions())
            throw new ExplanationRefusedException($"{format.Name} is itself a scale", "leave out --range, --scale and the rest");
        if (!(value > 0))
            throw new ExplanationRefusedException($"{format.Name} holds positive powers of two only, not {Text(value)}");

        var nearest = E8M0.Encode(value, E8M0Rounding.Nearest);
        var result = E8M0.Decode(nearest);
        return new()
        {
            Format = format,
            Value = value,
            Code = $"0x{nearest:X2}",
            Result = result,
            Overflow = nearest == E8M0.Nan,
            Steps =
            [
                ExplanationStep.Number("exponent", "log2(x)", Math.Log2(value)),
                Step("down", "power of two not above (OCP, ggml)", E8M0.Encode(value, E8M0Rounding.Down)),
                Step("up", "power of two not below (no element saturates)", E8M0.Encode(value, E8M0Rounding.Up)),
                Step("nearest", "nearest power of two (PyTorch cast)", nearest),
                ExplanationStep.Number("code", "exponent + 127", nearest),
            ],
            Verdict = nearest == E8M0.Nan
                ? $"{Text(value)} overflows E8M0, whose largest number is 2^127: it becomes NaN."
                : result == value ? $"E8M0 holds {Text(value)} exactly." : $"{Text(value)} becomes {Text(result)}.",
        };
    }

    private static ExplanationStep Step(string name, string formula, byte code) => ExplanationStep.Number(name, formula, E8M0.Decode(code));
}
