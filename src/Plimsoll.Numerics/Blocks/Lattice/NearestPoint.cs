using System.Numerics;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The point of least weighted error Σ w · (scale · level − x)² in a neighbourhood, the first of equal ones.</summary>
/// <remarks>
/// A level takes few values, so the terms of the sum are computed once for each element and level (<see cref="Errors"/>) and looked up for every point,
/// a point per lane, added in the order of the elements as <c>iq2_find_best_neighbour</c> and its like in ggml-quants.c do.
/// </remarks>
internal static unsafe class NearestPoint
{
    /// <summary>Floats in a table of errors: dimensions times levels, the same for both shapes of lattices.</summary>
    public const int Terms = 32;

    private static ReadOnlySpan<byte> Positions => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    /// <summary>0, 1, 2 … in the lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LanePositions<T>() where T : unmanaged, ICodeLanes<T> => T.FromBytes(in Positions[0]);

    /// <summary>w · (scale · level − x)² for each element and level.</summary>
    /// <param name="levels">(elements, levels): the levels, over and over.</param>
    /// <param name="x">(elements, levels): each element as often as there are levels; so the weights.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Errors<T>(float scale, float* levels, float* x, float* weights, float* errors) where T : unmanaged, ICodeLanes<T>
    {
        var factor = T.Create(scale);
        for (var i = 0; i < Terms; i += T.Count)
        {
            var difference = factor * *(T*)(levels + i) - *(T*)(x + i);
            *(T*)(errors + i) = *(T*)(weights + i) * difference * difference;
        }
    }

    /// <summary>The code of the nearest point.</summary>
    /// <param name="points">Codes, at least one; readable to the next multiple of <see cref="Neighbourhoods.Padding"/>, filled with the last.</param>
    /// <param name="errors">(elements, levels), from <see cref="Errors"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Find<T, TCells>(ushort* points, int count, float* errors)
        where T : unmanaged, ICodeLanes<T>
        where TCells : ILatticeCells
    {
        var least = T.Create(float.MaxValue);
        var nearest = T.Create(0);
        var position = LanePositions<T>();
        for (var i = 0; i < count; i += T.Count, position += T.Create(T.Count))
        {
            var codes = T.LoadCodes(in points[i]);
            var sum = TCells.Look(errors, codes);
            for (var element = 1; element < TCells.Dimensions; element++)
            {
                codes = T.ShiftRight(codes, TCells.Bits);
                sum += TCells.Look(errors + (element << TCells.Bits), codes);
            }
            var isNearer = T.GreaterThan(least, sum);
            least = T.Select(isNearer, sum, least);
            nearest = T.Select(isNearer, position, nearest);
        }
        var smallest = T.Create(-T.Largest(T.Create(0) - least));
        var found = T.Bits(T.Equal(least, smallest));
        var first = (int)LaneBytes.At(nearest, BitOperations.TrailingZeroCount(found));
        for (found &= found - 1; found != 0; found &= found - 1)
            first = Math.Min(first, (int)LaneBytes.At(nearest, BitOperations.TrailingZeroCount(found)));
        return points[first];
    }
}
