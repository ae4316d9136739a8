using System.Runtime.CompilerServices;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>For every combination of levels that is no point of a lattice: the points of the nearest few distances, among which the encoder chooses.</summary>
/// <remarks>
/// A list has the points in the order of distance, then of index. ggml keeps the same lists (<c>iq2xs_init_impl</c>, <c>iq3xs_init_impl</c> of
/// ggml-quants.c), found there by sorting all points; here distances of halves of a code are looked up and the shells collected.
/// </remarks>
internal sealed class Neighbourhoods
{
    /// <summary>The lists are filled up to a multiple of it by repeating their last point, so that whole registers can be read.</summary>
    public const int Padding = 16;

    private readonly int[] starts;
    private readonly int[] counts;
    private readonly ushort[] codes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public Neighbourhoods(Lattice lattice, int levels, int shells)
    {
        starts = new int[lattice.IndexOf.Length];
        counts = new int[lattice.IndexOf.Length];
        var points = lattice.Points;
        var halfBits = lattice.Dimensions / 2 * lattice.Bits;
        var halfMask = (1 << halfBits) - 1;
        var halves = HalfDistances(lattice.Dimensions / 2, lattice.Bits);
        var lists = new List<ushort>(1 << 16);
        var distances = new byte[points.Length];
        Span<bool> occurs = stackalloc bool[byte.MaxValue + 1];
        for (var code = 0; code < lattice.IndexOf.Length; code++)
        {
            if (lattice.IndexOf[code] >= 0 || !AreLevels(code, lattice, levels))
                continue;
            var low = halves.AsSpan((code & halfMask) << halfBits, halfMask + 1);
            var high = halves.AsSpan((code >> halfBits) << halfBits, halfMask + 1);
            occurs.Clear();
            for (var j = 0; j < distances.Length; j++)
            {
                var sum = low[points[j] & halfMask] + high[points[j] >> halfBits];
                distances[j] = (byte)sum;
                occurs[sum] = true;
            }
            starts[code] = lists.Count;
            var distance = -1;
            for (var shell = 0; shell < shells; shell++)
            {
                distance += 1 + occurs[(distance + 1)..].IndexOf(true);
                for (var j = distances.AsSpan().IndexOf((byte)distance); j >= 0;)
                {
                    lists.Add(points[j]);
                    var next = distances.AsSpan(j + 1).IndexOf((byte)distance);
                    j = next < 0 ? -1 : j + 1 + next;
                }
            }
            counts[code] = lists.Count - starts[code];
            while (lists.Count % Padding != 0)
                lists.Add(lists[^1]);
        }
        codes = GC.AllocateUninitializedArray<ushort>(lists.Count, pinned: true);
        lists.CopyTo(codes);
    }

    /// <summary>Codes in all lists together, padding included.</summary>
    public int Total => codes.Length;

    /// <summary>The points around a code that is none itself.</summary>
    public ReadOnlySpan<ushort> Around(int code) => codes.AsSpan(starts[code], counts[code]);

    /// <summary>The same in memory that does not move, readable to the next multiple of <see cref="Padding"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe ushort* Around(int code, out int count)
    {
        count = counts[code];
        return (ushort*)Unsafe.AsPointer(ref codes[starts[code]]);
    }

    /// <summary>Squared distances between all pairs of half codes.</summary>
    private static byte[] HalfDistances(int dimensions, int bits)
    {
        var size = 1 << (dimensions * bits);
        var distances = new byte[size * size];
        for (var a = 0; a < size; a++)
        {
            for (var b = 0; b < size; b++)
            {
                var sum = 0;
                for (var shift = 0; shift < dimensions * bits; shift += bits)
                {
                    var difference = (a >> shift & ((1 << bits) - 1)) - (b >> shift & ((1 << bits) - 1));
                    sum += difference * difference;
                }
                distances[a * size + b] = (byte)sum;
            }
        }
        return distances;
    }

    private static bool AreLevels(int code, Lattice lattice, int levels)
    {
        for (var i = 0; i < lattice.Dimensions; i++, code >>= lattice.Bits)
        {
            if ((code & ((1 << lattice.Bits) - 1)) >= levels)
                return false;
        }
        return true;
    }
}
