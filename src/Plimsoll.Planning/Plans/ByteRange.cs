using Plimsoll.Numerics;

namespace Plimsoll.Planning.Plans;

/// <summary>A predicted size: what is expected, and the bounds inside which the measured value should lie.</summary>
public readonly record struct ByteRange
{
    public ByteRange(long low, long expected, long high)
    {
        if (low > expected || expected > high)
            throw new ArgumentException($"bounds out of order: low {low}, expected {expected}, high {high}");
        Low = low;
        Expected = expected;
        High = high;
    }

    public long Low { get; }

    public long Expected { get; }

    public long High { get; }

    /// <summary>A size without doubt, such as the weights of a known checkpoint.</summary>
    public static ByteRange Exactly(long bytes) => new(bytes, bytes, bytes);

    /// <summary>A size whose bounds are fractions of the expected value.</summary>
    public static ByteRange Around(double expected, double lowFactor, double highFactor) =>
        new(ByteSize.FromDouble(expected * lowFactor).Bytes, ByteSize.FromDouble(expected).Bytes, ByteSize.FromDouble(expected * highFactor).Bytes);

    public static ByteRange operator +(ByteRange left, ByteRange right) =>
        checked(new(left.Low + right.Low, left.Expected + right.Expected, left.High + right.High));

    public static ByteRange operator *(ByteRange range, long count) =>
        checked(new(range.Low * count, range.Expected * count, range.High * count));

    public static ByteRange Max(ByteRange left, ByteRange right) =>
        new(Math.Max(left.Low, right.Low), Math.Max(left.Expected, right.Expected), Math.Max(left.High, right.High));
}
