using System.Numerics;
using System.Runtime.CompilerServices;

namespace Plimsoll.Numerics.Linear.Simd;

/// <summary>FP16 to FP32 by shifts, since .NET offers no <c>vcvtph2ps</c>.</summary>
/// <remarks>
/// Exponent and mantissa moved up by 13 bits are the number times 2^-112, subnormal ones included, so one exact product makes them right.
/// Infinity and NaN, whose exponent is all ones, get the exponent of FP32's.
/// </remarks>
internal static unsafe class HalfFloats
{
    private const float Rebias = 5.192296858534828e33f; // 2^112

    /// <summary>Converts <paramref name="count"/> codes, a multiple of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(ushort* source, int count, float* target)
    {
        for (var i = 0; i < count; i += Vector<ushort>.Count)
        {
            Vector.Widen(Vector.Load(source + i), out var lower, out var upper);
            ToSingle(lower).Store(target + i);
            ToSingle(upper).Store(target + i + Vector<float>.Count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> ToSingle(Vector<uint> codes)
    {
        var magnitude = Vector.ShiftLeft(codes & new Vector<uint>(0x7FFF), 13);
        var special = Vector.GreaterThanOrEqual(magnitude, new Vector<uint>(0x7C00 << 13)) & new Vector<uint>(0x7F80_0000);
        var number = (magnitude.As<uint, float>() * new Vector<float>(Rebias)).As<float, uint>();
        return (number | special | Vector.ShiftLeft(codes & new Vector<uint>(0x8000), 16)).As<uint, float>();
    }
}
