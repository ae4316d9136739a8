using System.Runtime.CompilerServices;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Two values side by side, twice the lanes: for searches whose every step waits for the one before, so that two run in the time of one.</summary>
internal readonly struct Pair<T>(T first, T second) : ILanes<Pair<T>> where T : unmanaged, ILanes<T>
{
    public readonly T First = first;
    public readonly T Second = second;

    public static int Count => 2 * T.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Create(float value) => new(T.Create(value), T.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> FromBytes(ref readonly byte source) => new(T.FromBytes(in source), T.FromBytes(in Unsafe.Add(ref Unsafe.AsRef(in source), T.Count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> FromSBytes(ref readonly sbyte source) => new(T.FromSBytes(in source), T.FromSBytes(in Unsafe.Add(ref Unsafe.AsRef(in source), T.Count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(Pair<T> value, ref byte target)
    {
        T.StoreBytes(value.First, ref target);
        T.StoreBytes(value.Second, ref Unsafe.Add(ref target, T.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreNibbles(Pair<T> low, Pair<T> high, ref byte target)
    {
        T.StoreNibbles(low.First, high.First, ref target);
        T.StoreNibbles(low.Second, high.Second, ref Unsafe.Add(ref target, T.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Pair<T> mask) => T.Bits(mask.First) | T.Bits(mask.Second) << T.Count;

    public static float Largest(Pair<T> value) => MathF.Max(T.Largest(value.First), T.Largest(value.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Min(Pair<T> a, Pair<T> b) => new(T.Min(a.First, b.First), T.Min(a.Second, b.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Max(Pair<T> a, Pair<T> b) => new(T.Max(a.First, b.First), T.Max(a.Second, b.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> GreaterThan(Pair<T> a, Pair<T> b) => new(T.GreaterThan(a.First, b.First), T.GreaterThan(a.Second, b.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Equal(Pair<T> a, Pair<T> b) => new(T.Equal(a.First, b.First), T.Equal(a.Second, b.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> NotEqual(Pair<T> a, Pair<T> b) => new(T.NotEqual(a.First, b.First), T.NotEqual(a.Second, b.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Abs(Pair<T> value) => new(T.Abs(value.First), T.Abs(value.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Sqrt(Pair<T> value) => new(T.Sqrt(value.First), T.Sqrt(value.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> NearestInt(Pair<T> value) => new(T.NearestInt(value.First), T.NearestInt(value.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> Select(Pair<T> mask, Pair<T> yes, Pair<T> no) => new(T.Select(mask.First, yes.First, no.First), T.Select(mask.Second, yes.Second, no.Second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> operator +(Pair<T> a, Pair<T> b) => new(a.First + b.First, a.Second + b.Second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> operator -(Pair<T> a, Pair<T> b) => new(a.First - b.First, a.Second - b.Second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> operator *(Pair<T> a, Pair<T> b) => new(a.First * b.First, a.Second * b.Second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> operator /(Pair<T> a, Pair<T> b) => new(a.First / b.First, a.Second / b.Second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> operator &(Pair<T> a, Pair<T> b) => new(a.First & b.First, a.Second & b.Second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> operator |(Pair<T> a, Pair<T> b) => new(a.First | b.First, a.Second | b.Second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> operator ^(Pair<T> a, Pair<T> b) => new(a.First ^ b.First, a.Second ^ b.Second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<T> operator ~(Pair<T> a) => new(~a.First, ~a.Second);
}
