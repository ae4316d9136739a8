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

    /// <summary>code = nearest((value + min) / scale) within 0 … levels, under the scale and minimum of the sub-block; anything where the scale is zero.</summary>
    /// <param name="values">(scales, length of a sub-block).</param>
    public static void AffineCodes(ReadOnlySpan<float> values, ReadOnlySpan<float> scales, ReadOnlySpan<float> mins, float levels, Span<byte> codes)
    {
        ref var target = ref MemoryMarshal.GetReference(codes[..values.Length]);
        ref var source = ref MemoryMarshal.GetReference(values);
        var length = values.Length / scales.Length;
        var (zero, high) = (T.Create(0), T.Create(levels));
        for (var j = 0; j < scales.Length; j++)
        {
            var (scale, min) = (T.Create(scales[j]), T.Create(mins[j]));
            for (var i = j * length; i < (j + 1) * length; i += T.Count)
                T.StoreBytes(T.Min(T.Max(T.NearestInt((At(in source, i) + min) / scale), zero), high), ref Unsafe.Add(ref target, i));
        }
    }

    /// <summary>code = nearest(value / scale) within −levels … levels − 1, plus levels, under the scale of the sub-block; anything where it is zero.</summary>
    /// <param name="values">(scales, length of a sub-block).</param>
    public static void CentredCodes(ReadOnlySpan<float> values, ReadOnlySpan<float> scales, float levels, Span<byte> codes)
    {
        ref var target = ref MemoryMarshal.GetReference(codes[..values.Length]);
        ref var source = ref MemoryMarshal.GetReference(values);
        var length = values.Length / scales.Length;
        var (zero, low, high) = (T.Create(levels), T.Create(-levels), T.Create(levels - 1));
        for (var j = 0; j < scales.Length; j++)
        {
            var scale = T.Create(scales[j]);
            for (var i = j * length; i < (j + 1) * length; i += T.Count)
                T.StoreBytes(T.Max(T.Min(T.NearestInt(At(in source, i) / scale), high), low) + zero, ref Unsafe.Add(ref target, i));
        }
    }
}
