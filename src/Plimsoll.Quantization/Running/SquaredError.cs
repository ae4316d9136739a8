using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Quantization.Running;

/// <summary>Two sums over weights x and what they became, y.</summary>
/// <param name="Error">Σ (x − y)²</param>
/// <param name="Sum">Σ x²</param>
internal readonly record struct SquaredError(double Error, double Sum)
{
    public static SquaredError operator +(SquaredError left, SquaredError right) => new(left.Error + right.Error, left.Sum + right.Sum);

    /// <summary>Sums in double precision, sixteen weights at a time; the order is the same on every processor.</summary>
    public static SquaredError Of(ReadOnlySpan<float> values, ReadOnlySpan<float> decoded)
    {
        if (values.Length != decoded.Length)
            throw new ArgumentException($"{decoded.Length} decoded values for {values.Length}", nameof(decoded));
        Vector512<double> error = default, sum = default;
        var left = MemoryMarshal.Cast<float, Vector512<float>>(values);
        var right = MemoryMarshal.Cast<float, Vector512<float>>(decoded);
        for (var i = 0; i < left.Length; i++)
        {
            var difference = left[i] - right[i];
            var (low, high) = Vector512.Widen(difference);
            error += low * low + high * high;
            (low, high) = Vector512.Widen(left[i]);
            sum += low * low + high * high;
        }
        var total = new SquaredError(Vector512.Sum(error), Vector512.Sum(sum));
        for (var i = left.Length * Vector512<float>.Count; i < values.Length; i++)
        {
            double value = values[i], difference = values[i] - decoded[i];
            total += new SquaredError(difference * difference, value * value);
        }
        return total;
    }
}
