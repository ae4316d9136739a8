using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Plimsoll.Runtime.Settings;

namespace Plimsoll.Runtime.Layers;

/// <summary>The non-linear functions of feed-forward parts.</summary>
internal static class Activations
{
    private const float SqrtTwoOverPi = 0.7978845608028654f;

    /// <summary>x = act(x).</summary>
    public static void Apply(Activation activation, Span<float> x)
    {
        switch (activation)
        {
            case Activation.Silu:
                Each<Silu>(x);
                break;
            case Activation.GeluTanh:
                Each<GeluTanh>(x);
                break;
            default:
                Each<Gelu>(x);
                break;
        }
    }

    /// <summary>y = act(gate) · y.</summary>
    public static void ApplyGate(Activation activation, ReadOnlySpan<float> gate, Span<float> y)
    {
        switch (activation)
        {
            case Activation.Silu:
                EachGated<Silu>(gate, y);
                break;
            case Activation.GeluTanh:
                EachGated<GeluTanh>(gate, y);
                break;
            default:
                EachGated<Gelu>(gate, y);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Each<T>(Span<float> x) where T : IFunction
    {
        var whole = x.Length - x.Length % 8;
        foreach (ref var lanes in MemoryMarshal.Cast<float, Vector256<float>>(x[..whole]))
            lanes = T.Invoke(lanes);
        foreach (ref var value in x[whole..])
            value = T.Invoke(Vector256.Create(value))[0];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EachGated<T>(ReadOnlySpan<float> gate, Span<float> y) where T : IFunction
    {
        var whole = y.Length - y.Length % 8;
        ref var a = ref MemoryMarshal.GetReference(gate[..y.Length]);
        ref var b = ref MemoryMarshal.GetReference(y);
        for (var index = 0; index < whole; index += 8)
            (T.Invoke(Vector256.LoadUnsafe(ref a, (nuint)index)) * Vector256.LoadUnsafe(ref b, (nuint)index)).StoreUnsafe(ref b, (nuint)index);
        for (var index = whole; index < y.Length; index++)
            y[index] *= T.Invoke(Vector256.Create(gate[index]))[0];
    }

    private interface IFunction
    {
        static abstract Vector256<float> Invoke(Vector256<float> x);
    }

    private readonly struct Silu : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Invoke(Vector256<float> x) => x / (Vector256<float>.One + Vector256.Exp(-x));
    }

    private readonly struct GeluTanh : IFunction
    {
        /// <summary>0.5 (1 + tanh u) = 1 / (1 + e^(-2u)).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Invoke(Vector256<float> x)
        {
            var u = x * (Vector256<float>.One + x * x * 0.044715f) * SqrtTwoOverPi;
            return x / (Vector256<float>.One + Vector256.Exp(u * -2f));
        }
    }

    private readonly struct Gelu : IFunction
    {
        public static Vector256<float> Invoke(Vector256<float> x)
        {
            // erf by Abramowitz and Stegun 7.1.26, |error| < 1.5e-7.
            var z = Vector256.Abs(x) * 0.70710678f;
            var t = Vector256<float>.One / (Vector256<float>.One + z * 0.3275911f);
            var polynomial = ((((t * 1.061405429f - Vector256.Create(1.453152027f)) * t + Vector256.Create(1.421413741f)) * t - Vector256.Create(0.284496736f)) * t + Vector256.Create(0.254829592f)) * t;
            var erf = Vector256.CopySign(Vector256<float>.One - polynomial * Vector256.Exp(-z * z), x);
            return x * 0.5f * (Vector256<float>.One + erf);
        }
    }
}
