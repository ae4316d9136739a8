using System.Collections.Immutable;
using System.Globalization;

namespace Plimsoll.Numerics.Explanations;

/// <summary>The way of one number into a format and back, step by step.</summary>
public sealed record NumberExplanation
{
    public required NumberFormat Format { get; init; }

    /// <summary>The number as it went in.</summary>
    public required double Value { get; init; }

    public required ImmutableArray<ExplanationStep> Steps { get; init; }

    /// <summary>What is stored: an integer code, or the bits of a float code.</summary>
    public required string Code { get; init; }

    /// <summary>The number as it comes out; infinite or NaN after an overflow.</summary>
    public required double Result { get; init; }

    /// <summary>Whether the number lay past the largest that the format holds, and became infinity, NaN or the largest.</summary>
    public bool Overflow { get; init; }

    /// <summary>Whether an integer code or scaled float was cut to the end of its range.</summary>
    public bool Clamped { get; init; }

    /// <summary>One sentence that sums it up.</summary>
    public required string Verdict { get; init; }

    /// <summary>|result − value|; null when the result is not finite.</summary>
    public double? AbsoluteError => double.IsFinite(Result) ? Math.Abs(Result - Value) : null;

    /// <summary>Absolute error as a fraction of |value|; null for zero or a result that is not finite.</summary>
    public double? RelativeError => Value == 0 ? null : AbsoluteError / Math.Abs(Value);

    /// <summary>Walks <paramref name="value"/> through <paramref name="format"/>.</summary>
    /// <exception cref="ExplanationRefusedException">The options do not suit the format, or its codes cannot be explained one number at a time.</exception>
    public static NumberExplanation Of(NumberFormat format, double value, ExplanationOptions options)
    {
        if (!double.IsFinite(value))
            throw new ExplanationRefusedException($"{Text(value)} is not a finite number");
        if (options.Range is { } range && (!double.IsFinite(range.Minimum) || !double.IsFinite(range.Maximum) || range.Minimum > range.Maximum))
            throw new ExplanationRefusedException($"the range {Text(range.Minimum)},{Text(range.Maximum)} is not MIN,MAX with MIN below MAX");
        if (options.Scale is { } scale && !(double.IsFinite(scale) && scale > 0))
            throw new ExplanationRefusedException($"the scale {Text(scale)} is not a positive number");
        if (options is { Range: not null, Scale: not null })
            throw new ExplanationRefusedException("a range and a scale contradict each other: the range decides the scale", "give only one of --range and --scale");

        return format switch
        {
            { Kind: NumberFormatKind.Block } => BlockExplanation.Of(format, value, options),
            { Kind: NumberFormatKind.Integer } => IntegerExplanation.Of(format, value, options),
            { Layout: not null } => FloatExplanation.Of(format, value, options),
            _ when format == NumberFormats.E8M0 => PowerOfTwoExplanation.Of(format, value, options),
            _ => throw new ExplanationRefusedException($"{format.Name} is {format.Summary}; there is nothing to round", "explain FP32 instead"),
        };
    }

    /// <summary>The shortest decimal that reads back as the same double, with words for what is not finite.</summary>
    public static string Text(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? (value > 0 ? "inf" : "-inf") : value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>One line of the walk.</summary>
/// <param name="Name">A stable snake_case key.</param>
/// <param name="Formula">How the result follows from what came before, with the numbers filled in.</param>
/// <param name="Text">The result as text.</param>
/// <param name="Value">The result as a number, where it is one.</param>
public sealed record ExplanationStep(string Name, string Formula, string Text, double? Value)
{
    internal static ExplanationStep Number(string name, string formula, double value) => new(name, formula, NumberExplanation.Text(value), value);

    internal static ExplanationStep Words(string name, string formula, string text) => new(name, formula, text, null);
}

/// <summary>What decides the scale.</summary>
public sealed record ExplanationOptions
{
    /// <summary>The smallest and largest value that the scale must cover; for a block format those of the block.</summary>
    public (double Minimum, double Maximum)? Range { get; init; }

    /// <summary>The scale, where it is known already.</summary>
    public double? Scale { get; init; }

    /// <summary>The code of zero that goes with <see cref="Scale"/>.</summary>
    public int? ZeroPoint { get; init; }

    /// <summary>Symmetric or asymmetric integers; null takes what the field does: symmetric when signed, asymmetric when unsigned.</summary>
    public bool? Symmetric { get; init; }
}

/// <summary>A number cannot be explained as asked; the message is a sentence for the user.</summary>
public sealed class ExplanationRefusedException(string message, string? hint = null) : Exception(message)
{
    /// <summary>The next step.</summary>
    public string? Hint { get; } = hint;
}
