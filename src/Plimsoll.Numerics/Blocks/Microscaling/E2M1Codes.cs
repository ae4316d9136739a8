using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Microscaling;

/// <summary>E2M1 codes as ggml rounds them: bit 3 the sign, the magnitudes 0, 1, 2, 3, 4, 6, 8, 12 doubled so that they are integers.</summary>
internal static class E2M1Codes
{
    /// <summary>Doubled magnitudes by code (kvalues_mxfp4 of ggml-common.h).</summary>
    private static ReadOnlySpan<byte> Magnitudes => [0, 1, 2, 3, 4, 6, 8, 12];

    /// <summary>The doubled values by code.</summary>
    private static ReadOnlySpan<sbyte> Values => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary>The code of least |value · halfScale − x|, of equal ones the smaller magnitude; never the code of −0.</summary>
    /// <param name="halfScale">Half the scale, since the values are doubled.</param>
    public static void Encode<T>(ReadOnlySpan<float> values, float halfScale, Span<byte> codes) where T : unmanaged, ILanes<T>
    {
        var lanes = MemoryMarshal.Cast<float, T>(values);
        ref var target = ref MemoryMarshal.GetReference(codes);
        var zero = T.Create(0);
        for (var i = 0; i < lanes.Length; i++)
        {
            var (code, _) = Nearest(T.Abs(lanes[i]), halfScale);
            var isNegative = T.GreaterThan(zero, lanes[i]) & T.GreaterThan(code, zero);
            T.StoreBytes(code + (isNegative & T.Create(8)), ref Unsafe.Add(ref target, i * T.Count));
        }
    }

    /// <summary>Σ weight · e² under a scale, added in the order of the elements.</summary>
    [SkipLocalsInit]
    public static float Error<T>(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, float halfScale) where T : unmanaged, ILanes<T>
    {
        Span<float> terms = stackalloc float[values.Length];
        var x = MemoryMarshal.Cast<float, T>(values);
        var w = MemoryMarshal.Cast<float, T>(weights);
        var target = MemoryMarshal.Cast<float, T>(terms);
        for (var i = 0; i < x.Length; i++)
        {
            var (_, error) = Nearest(T.Abs(x[i]), halfScale);
            target[i] = w[i] * (error * error);
        }
        var sum = 0f;
        foreach (var term in terms)
            sum += term;
        return sum;
    }

    /// <summary>The code of a magnitude and how far its value is from it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (T Code, T Error) Nearest<T>(T magnitude, float halfScale) where T : unmanaged, ILanes<T>
    {
        var code = T.Create(0);
        var least = magnitude;
        for (var candidate = 1; candidate < Magnitudes.Length; candidate++)
        {
            var error = T.Abs(T.Create(Magnitudes[candidate] * halfScale) - magnitude);
            var isNearer = T.GreaterThan(least, error);
            code = T.Select(isNearer, T.Create(candidate), code);
            least = T.Select(isNearer, error, least);
        }
        return (code, least);
    }

    /// <summary>value = doubled value of the code · halfScale.</summary>
    public static void Decode(ReadOnlySpan<byte> codes, float halfScale, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = Values[codes[i]] * halfScale;
    }
}
