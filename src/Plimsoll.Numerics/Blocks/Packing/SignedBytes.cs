using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Packing;

/// <summary>Signed bytes to floats.</summary>
internal static class SignedBytes
{
    /// <summary>value = scale · (code + offset). Lengths are multiples of 16, or of 8 below 16 lanes.</summary>
    public static void Scale<T>(ReadOnlySpan<sbyte> codes, float scale, float offset, Span<float> values) where T : unmanaged, ILanes<T>
    {
        var lanes = MemoryMarshal.Cast<float, T>(values);
        ref var source = ref MemoryMarshal.GetReference(codes);
        var (s, o) = (T.Create(scale), T.Create(offset));
        for (var i = 0; i < lanes.Length; i++)
            lanes[i] = (T.FromSBytes(in Unsafe.Add(ref source, i * T.Count)) + o) * s;
    }
}
