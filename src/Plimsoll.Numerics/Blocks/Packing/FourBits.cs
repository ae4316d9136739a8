using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Packing;

/// <summary>32 four-bit codes in nibbles, the first 16 low.</summary>
internal readonly struct FourBits : ICodePacking
{
    private const int Half = 16;

    public static int Bits => 4;

    public static void Pack(ReadOnlySpan<byte> codes, Span<byte> packed) => Nibbles.PackPairs(codes, Half, packed);

    public static void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes) => Nibbles.UnpackPairs(packed, Half, codes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Encode<T>(ref readonly float values, T offset, T inverse, float bias, Span<byte> packed) where T : unmanaged, ILanes<T>
    {
        ref var target = ref MemoryMarshal.GetReference(packed[..Half]);
        var (added, high) = (T.Create(bias), T.Create(15));
        for (var i = 0; i < Half; i += T.Count)
        {
            var low = T.Min((Elements<T>.At(in values, i) - offset) * inverse + added, high);
            var upper = T.Min((Elements<T>.At(in values, i + Half) - offset) * inverse + added, high);
            T.StoreNibbles(low, upper, ref Unsafe.Add(ref target, i));
        }
    }
}
