using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Runtime;

/// <summary>Element-wise arithmetic on rows of floats, eight at a time.</summary>
/// <remarks>256 bits because the lanes of one instruction are never the limit here: rows are short, or come from memory.</remarks>
internal static class Vectors
{
    private const int Width = 8;

    /// <summary>Σ x · y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        ref var a = ref MemoryMarshal.GetReference(x);
        ref var b = ref MemoryMarshal.GetReference(y[..x.Length]);
        var (sum0, sum1) = (Vector256<float>.Zero, Vector256<float>.Zero);
        var index = 0;
        for (; index <= x.Length - 2 * Width; index += 2 * Width)
        {
            sum0 = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref a, (nuint)index), Vector256.LoadUnsafe(ref b, (nuint)index), sum0);
            sum1 = Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref a, (nuint)index + Width), Vector256.LoadUnsafe(ref b, (nuint)index + Width), sum1);
        }
        var sum = Vector256.Sum(sum0 + sum1);
        for (; index < x.Length; index++)
            sum += x[index] * y[index];
        return sum;
    }

    /// <summary>y += x.</summary>
    public static void Add(Span<float> y, ReadOnlySpan<float> x) => AddScaled(y, x, 1);

    /// <summary>y += factor · x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(Span<float> y, ReadOnlySpan<float> x, float factor)
    {
        ref var a = ref MemoryMarshal.GetReference(y);
        ref var b = ref MemoryMarshal.GetReference(x[..y.Length]);
        var scale = Vector256.Create(factor);
        var index = 0;
        for (; index <= y.Length - Width; index += Width)
            Vector256.MultiplyAddEstimate(Vector256.LoadUnsafe(ref b, (nuint)index), scale, Vector256.LoadUnsafe(ref a, (nuint)index)).StoreUnsafe(ref a, (nuint)index);
        for (; index < y.Length; index++)
            y[index] += factor * x[index];
    }

    /// <summary>x *= factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(Span<float> x, float factor)
    {
        ref var a = ref MemoryMarshal.GetReference(x);
        var scale = Vector256.Create(factor);
        var index = 0;
        for (; index <= x.Length - Width; index += Width)
            (Vector256.LoadUnsafe(ref a, (nuint)index) * scale).StoreUnsafe(ref a, (nuint)index);
        for (; index < x.Length; index++)
            x[index] *= factor;
    }

    /// <summary>y = (x - shift) · factor · weight: the common end of both norms.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Normalize(ReadOnlySpan<float> x, float shift, float factor, ReadOnlySpan<float> weight, Span<float> y)
    {
        ref var a = ref MemoryMarshal.GetReference(x);
        ref var w = ref MemoryMarshal.GetReference(weight[..x.Length]);
        ref var b = ref MemoryMarshal.GetReference(y[..x.Length]);
        var (offset, scale) = (Vector256.Create(shift), Vector256.Create(factor));
        var index = 0;
        for (; index <= x.Length - Width; index += Width)
            ((Vector256.LoadUnsafe(ref a, (nuint)index) - offset) * scale * Vector256.LoadUnsafe(ref w, (nuint)index)).StoreUnsafe(ref b, (nuint)index);
        for (; index < x.Length; index++)
            y[index] = (x[index] - shift) * factor * weight[index];
    }

    /// <summary>Σ x.</summary>
    public static float Sum(ReadOnlySpan<float> x)
    {
        var sums = Vector256<float>.Zero;
        var whole = x.Length - x.Length % Width;
        foreach (var lanes in MemoryMarshal.Cast<float, Vector256<float>>(x[..whole]))
            sums += lanes;
        var sum = Vector256.Sum(sums);
        foreach (var value in x[whole..])
            sum += value;
        return sum;
    }

    /// <summary>The largest element.</summary>
    public static float Max(ReadOnlySpan<float> x)
    {
        var whole = x.Length - x.Length % Width;
        var most = Vector256.Create(float.NegativeInfinity);
        foreach (var lanes in MemoryMarshal.Cast<float, Vector256<float>>(x[..whole]))
            most = Vector256.Max(most, lanes);
        var result = float.NegativeInfinity;
        for (var lane = 0; lane < Width; lane++)
            result = Math.Max(result, most[lane]);
        foreach (var value in x[whole..])
            result = Math.Max(result, value);
        return result;
    }

    /// <summary>x = e^(x - shift); returns their sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Exponentials(Span<float> x, float shift)
    {
        var offset = Vector256.Create(shift);
        var sums = Vector256<float>.Zero;
        var whole = x.Length - x.Length % Width;
        foreach (ref var lanes in MemoryMarshal.Cast<float, Vector256<float>>(x[..whole]))
        {
            lanes = Vector256.Exp(lanes - offset);
            sums += lanes;
        }
        var sum = Vector256.Sum(sums);
        foreach (ref var value in x[whole..])
        {
            value = MathF.Exp(value - shift);
            sum += value;
        }
        return sum;
    }

    /// <summary>x = cap · tanh(x / cap).</summary>
    public static void SoftCap(Span<float> x, float cap)
    {
        foreach (ref var value in x)
            value = cap * MathF.Tanh(value / cap);
    }
}
