using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Blocks that lie behind each other, put side by side into lanes.</summary>
internal static class Transposition
{
    /// <summary>Blocks and elements that are exchanged in registers at once.</summary>
    private const int Tile = 8;

    private const byte FirstPairs = 0x44;
    private const byte SecondPairs = 0xEE;
    private const byte LowHalves = 0x20;
    private const byte HighHalves = 0x31;

    /// <summary>Block s goes to lane s: element i of it to lane s of value i. Lanes without a block are zero.</summary>
    /// <param name="source">At most <c>Count</c> blocks.</param>
    /// <param name="lanes">(block length), a multiple of 8.</param>
    public static void ToLanes<T>(ReadOnlySpan<float> source, Span<T> lanes) where T : unmanaged, ILanes<T> =>
        ToLanes(source, 0, source.Length / lanes.Length, lanes);

    /// <summary>The same for <paramref name="blocks"/> blocks from <paramref name="offset"/> on, going on at the start of the source after its end.</summary>
    public static void ToLanes<T>(ReadOnlySpan<float> source, int offset, int blocks, Span<T> lanes) where T : unmanaged, ILanes<T>
    {
        var length = lanes.Length;
        var target = MemoryMarshal.Cast<T, float>(lanes);
        if (blocks < T.Count)
            target.Clear();
        var lane = 0;
        Span<int> rows = stackalloc int[Tile];
        for (; Avx.IsSupported && lane <= blocks - Tile; lane += Tile)
        {
            for (var row = 0; row < Tile; row++)
                rows[row] = (offset + (lane + row) * length) % source.Length;
            for (var i = 0; i < length; i += Tile)
                ToColumns(source, rows, i, target[(i * T.Count + lane)..], T.Count);
        }
        for (; lane < blocks; lane++)
        {
            var block = source.Slice((offset + lane * length) % source.Length, length);
            for (var i = 0; i < length; i++)
                target[i * T.Count + lane] = block[i];
        }
    }

    /// <summary>Eight elements of eight blocks, by exchanging singles, then pairs, then halves of the registers.</summary>
    private static void ToColumns(ReadOnlySpan<float> source, ReadOnlySpan<int> rows, int element, Span<float> target, int stride)
    {
        ref var first = ref Unsafe.Add(ref MemoryMarshal.GetReference(source), element);
        var (a0, a1) = Interleave(ref first, rows[0], rows[1]);
        var (a2, a3) = Interleave(ref first, rows[2], rows[3]);
        var (a4, a5) = Interleave(ref first, rows[4], rows[5]);
        var (a6, a7) = Interleave(ref first, rows[6], rows[7]);
        ref var column = ref MemoryMarshal.GetReference(target);
        StoreHalves(Avx.Shuffle(a0, a2, FirstPairs), Avx.Shuffle(a4, a6, FirstPairs), ref column, stride);
        StoreHalves(Avx.Shuffle(a0, a2, SecondPairs), Avx.Shuffle(a4, a6, SecondPairs), ref Unsafe.Add(ref column, stride), stride);
        StoreHalves(Avx.Shuffle(a1, a3, FirstPairs), Avx.Shuffle(a5, a7, FirstPairs), ref Unsafe.Add(ref column, 2 * stride), stride);
        StoreHalves(Avx.Shuffle(a1, a3, SecondPairs), Avx.Shuffle(a5, a7, SecondPairs), ref Unsafe.Add(ref column, 3 * stride), stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float>, Vector256<float>) Interleave(ref float first, int row, int next)
    {
        var a = Vector256.LoadUnsafe(ref first, (nuint)row);
        var b = Vector256.LoadUnsafe(ref first, (nuint)next);
        return (Avx.UnpackLow(a, b), Avx.UnpackHigh(a, b));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreHalves(Vector256<float> upperRows, Vector256<float> lowerRows, ref float column, int stride)
    {
        Avx.Permute2x128(upperRows, lowerRows, LowHalves).StoreUnsafe(ref column);
        Avx.Permute2x128(upperRows, lowerRows, HighHalves).StoreUnsafe(ref column, (nuint)(Tile / 2 * stride));
    }
}
