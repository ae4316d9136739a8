using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>A set of points, of eight or of four levels each, that stand for the magnitudes of as many weights; a block stores their indices.</summary>
/// <remarks>Everything is derived from the packed points at first use. Safe for many threads.</remarks>
internal sealed class Lattice
{
    private readonly Lazy<Neighbourhoods> neighbourhoods;

    private Lattice(string points, int dimensions, int bits, int shells, ReadOnlySpan<sbyte> magnitudes)
    {
        (Dimensions, Bits) = (dimensions, bits);
        Points = MemoryMarshal.Cast<byte, ushort>(Convert.FromBase64String(points)).ToArray();
        Values = new sbyte[Points.Length * dimensions];
        IndexOf = new short[1 << (dimensions * bits)];
        IndexOf.AsSpan().Fill(-1);
        for (var index = 0; index < Points.Length; index++)
        {
            IndexOf[Points[index]] = (short)index;
            for (var i = 0; i < dimensions; i++)
                Values[index * dimensions + i] = magnitudes[Points[index] >> (bits * i) & ((1 << bits) - 1)];
        }
        var levels = magnitudes.Length;
        neighbourhoods = new(() => new Neighbourhoods(this, levels, shells));
    }

    // The magnitudes are those of the grids of ggml-common.h; the number of shells is "nwant" of iq2xs_init_impl and iq3xs_init_impl (ggml-quants.c).
    public static Lattice Iq2Xxs => Held.Iq2Xxs.Value;

    public static Lattice Iq2Xs => Held.Iq2Xs.Value;

    public static Lattice Iq2S => Held.Iq2S.Value;

    public static Lattice Iq1 => Held.Iq1.Value;

    public static Lattice Iq3Xxs => Held.Iq3Xxs.Value;

    public static Lattice Iq3S => Held.Iq3S.Value;

    /// <summary>Levels of a point.</summary>
    public int Dimensions { get; }

    /// <summary>Bits of a level in a code.</summary>
    public int Bits { get; }

    /// <summary>The code of every point: its levels, the first lowest.</summary>
    public ushort[] Points { get; }

    /// <summary>(points, dimensions): what the levels stand for when a block is decoded.</summary>
    public sbyte[] Values { get; }

    /// <summary>The index of a point by code; −1 where the code is none.</summary>
    public short[] IndexOf { get; }

    /// <summary>The points around every code that is none.</summary>
    public Neighbourhoods Neighbourhoods => neighbourhoods.Value;

    private static class Held
    {
        public static readonly Lazy<Lattice> Iq2Xxs = new(() => Eight(LatticePoints.Iq2Xxs, shells: 2));
        public static readonly Lazy<Lattice> Iq2Xs = new(() => Eight(LatticePoints.Iq2Xs, shells: 2));
        public static readonly Lazy<Lattice> Iq2S = new(() => Eight(LatticePoints.Iq2S, shells: 1));
        public static readonly Lazy<Lattice> Iq1 = new(() => new(LatticePoints.Iq1, 8, 2, shells: 3, [-1, 0, 1]));
        public static readonly Lazy<Lattice> Iq3Xxs = new(() => new(LatticePoints.Iq3Xxs, 4, 3, shells: 2, [4, 12, 20, 28, 36, 44, 52, 62]));
        public static readonly Lazy<Lattice> Iq3S = new(() => new(LatticePoints.Iq3S, 4, 3, shells: 3, [1, 3, 5, 7, 9, 11, 13, 15]));

        private static Lattice Eight(string points, int shells) => new(points, 8, 2, shells, [8, 25, 43]);
    }
}
