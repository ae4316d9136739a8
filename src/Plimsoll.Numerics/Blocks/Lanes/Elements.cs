using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Codes to values and back, an element per lane. Lengths are multiples of 16.</summary>
internal static class Elements<T> where T : unmanaged, ILanes<T>
{
    /// <summary>The elements from <paramref name="offset"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T At(ref readonly float first, int offset) => Unsafe.ReadUnaligned<T>(ref Unsafe.As<float, byte>(ref Unsafe.Add(ref Unsafe.AsRef(in first), offset)));

    /// <summary>value = scale · code + offset.</summary>
    public static void Affine(ReadOnlySpan<byte> codes, float scale, float offset, Span<float> values)
    {
        var lanes = MemoryMarshal.Cast<float, T>(values);
        ref var source = ref MemoryMarshal.GetReference(codes);
        var (s, o) = (T.Create(scale), T.Create(offset));
        for (var i = 0; i < lanes.Length; i++)
            lanes[i] = T.FromBytes(in Unsafe.Add(ref source, i * T.Count)) * s + o;
    }

    /// <summary>value = scale · (code − zero).</summary>
    public static void Centred(ReadOnlySpan<byte> codes, float zero, float scale, Span<float> values)
    {
        var lanes = MemoryMarshal.Cast<float, T>(values);
        ref var source = ref MemoryMarshal.GetReference(codes);
        var (s, z) = (T.Create(scale), T.Create(zero));
        for (var i = 0; i < lanes.Length; i++)
            lanes[i] = (T.FromBytes(in Unsafe.Add(ref source, i * T.Count)) - z) * s;
    }

    /// <summary>code = nearest((value + offset) / scale) within 0 … levels.</summary>
    public static void AffineCodes(ReadOnlySpan<float> values, float scale, float offset, float levels, Span<byte> codes)
    {
        var lanes = MemoryMarshal.Cast<float, T>(values);
        ref var target = ref MemoryMarshal.GetReference(codes);
        var (s, o, zero, high) = (T.Create(scale), T.Create(offset), T.Create(0), T.Create(levels));
        for (var i = 0; i < lanes.Length; i++)
            T.StoreBytes(T.Min(T.Max(T.NearestInt((lanes[i] + o) / s), zero), high), ref Unsafe.Add(ref target, i * T.Count));
    }

    /// <summary>code = nearest(value / scale) within −levels … levels − 1, plus levels.</summary>
    public static void CentredCodes(ReadOnlySpan<float> values, float scale, float levels, Span<byte> codes)
    {
        var lanes = MemoryMarshal.Cast<float, T>(values);
        ref var target = ref MemoryMarshal.GetReference(codes);
        var (s, zero, low, high) = (T.Create(scale), T.Create(levels), T.Create(-levels), T.Create(levels - 1));
        for (var i = 0; i < lanes.Length; i++)
            T.StoreBytes(T.Max(T.Min(T.NearestInt(lanes[i] / s), high), low) + zero, ref Unsafe.Add(ref target, i * T.Count));
    }
}
