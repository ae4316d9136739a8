using System.Numerics;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Floats side by side in a register, worked on by one instruction. Kernels are written once over this and run with 1, 8 or 16 lanes.</summary>
/// <remarks>
/// Every operation is the IEEE 754 one of its lane, in the order written and never fused, so the results do not depend on the number of lanes:
/// <see cref="Lanes1"/> is the scalar twin of the wider ones. A value is a plain block of <c>Count</c> floats, so a span of floats is read and written as a
/// span of lanes by <c>MemoryMarshal.Cast</c>. A mask is a value whose lanes have all bits set or none.
/// </remarks>
internal interface ILanes<T> : IAdditionOperators<T, T, T>, ISubtractionOperators<T, T, T>, IMultiplyOperators<T, T, T>, IDivisionOperators<T, T, T>,
    IBitwiseOperators<T, T, T>
    where T : unmanaged, ILanes<T>
{
    /// <summary>Floats in a value.</summary>
    static abstract int Count { get; }

    /// <summary>The same float in every lane.</summary>
    static abstract T Create(float value);

    /// <summary>Unsigned bytes as floats.</summary>
    static abstract T FromBytes(ref readonly byte source);

    /// <summary>Signed bytes as floats.</summary>
    static abstract T FromSBytes(ref readonly sbyte source);

    /// <summary>The low byte of each lane truncated toward zero, where that fits 32 bits.</summary>
    static abstract void StoreBytes(T value, ref byte target);

    /// <summary>Two 4-bit codes to a byte, both truncated toward zero.</summary>
    static abstract void StoreNibbles(T low, T high, ref byte target);

    /// <summary>a &lt; b ? a : b, so b where either is NaN.</summary>
    static abstract T Min(T a, T b);

    /// <summary>a &gt; b ? a : b, so b where either is NaN.</summary>
    static abstract T Max(T a, T b);

    static abstract T Abs(T value);

    static abstract T Sqrt(T value);

    static abstract T GreaterThan(T a, T b);

    static abstract T Equal(T a, T b);

    static abstract T NotEqual(T a, T b);

    /// <summary>The lanes of <paramref name="yes"/> where the mask is set, of <paramref name="no"/> elsewhere.</summary>
    static abstract T Select(T mask, T yes, T no);

    /// <summary>One bit per lane of a mask, lane 0 lowest.</summary>
    static abstract uint Bits(T mask);

    /// <summary>The largest lane.</summary>
    static abstract float Largest(T value);

    /// <summary>ggml's <c>nearest_int</c>: to the nearest integer, ties to even, by reading the bits of value + 1.5 · 2²³.</summary>
    /// <remarks>Right below 2²²; beyond, and for infinity and NaN, what the bits give, which ggml's bytes depend on (<see cref="Rounding"/>).</remarks>
    static abstract T NearestInt(T value);
}
