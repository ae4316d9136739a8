using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.LowBit;

/// <summary>Codes 0, 1, 2 for −d, 0, d, where d is the largest magnitude of the block.</summary>
internal static class TernaryCodes
{
    /// <param name="flat">The code of every element where 1/d is infinite: what ggml's integer conversion makes of infinity.</param>
    /// <returns>d.</returns>
    public static float Encode<T>(ReadOnlySpan<float> values, byte flat, Span<byte> codes) where T : unmanaged, ILanes<T>
    {
        var scale = BlockRange.Magnitude<T>(values);
        var inverse = scale != 0 ? 1 / scale : 0;
        if (!float.IsFinite(inverse))
        {
            codes.Fill(flat);
            return scale;
        }
        var lanes = MemoryMarshal.Cast<float, T>(values);
        ref var target = ref MemoryMarshal.GetReference(codes);
        var (factor, one) = (T.Create(inverse), T.Create(1));
        for (var i = 0; i < lanes.Length; i++)
        {
            // The magnitude is below 2, so truncation can come after the shift to codes that are not negative.
            var rounded = Rounding.AwayFromZero(lanes[i] * factor);
            var up = T.GreaterThan(one, rounded);
            var down = T.GreaterThan(rounded, T.Create(-1));
            T.StoreBytes(T.Select(up, T.Select(down, one, T.Create(0)), T.Create(2)), ref Unsafe.Add(ref target, i * T.Count));
        }
        return scale;
    }
}
