using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The shape of a lattice: how many levels a point has, and how a code packs them.</summary>
internal unsafe interface ILatticeCells
{
    /// <summary>Levels of a point.</summary>
    static abstract int Dimensions { get; }

    /// <summary>Bits of a level.</summary>
    static abstract int Bits { get; }

    /// <summary>The highest level; level l stands for 2l + 1.</summary>
    static abstract int HighestLevel { get; }

    /// <summary>2l + 1 for each of 2^Bits levels, for each element of a point.</summary>
    static abstract ReadOnlySpan<float> Levels { get; }

    /// <summary>The entry of a table, of 2^Bits floats, at the lowest level of each code.</summary>
    static abstract T Look<T>(float* table, T codes) where T : unmanaged, ICodeLanes<T>;
}

/// <summary>Eight levels of two bits: IQ1 and IQ2.</summary>
internal readonly unsafe struct EightCells : ILatticeCells
{
    public static int Dimensions => 8;

    public static int Bits => 2;

    public static int HighestLevel => 2;

    public static ReadOnlySpan<float> Levels => [1, 3, 5, 7, 1, 3, 5, 7, 1, 3, 5, 7, 1, 3, 5, 7, 1, 3, 5, 7, 1, 3, 5, 7, 1, 3, 5, 7, 1, 3, 5, 7];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Look<T>(float* table, T codes) where T : unmanaged, ICodeLanes<T> => T.Look4(table, codes);
}

/// <summary>Four levels of three bits: IQ3.</summary>
internal readonly unsafe struct FourCells : ILatticeCells
{
    public static int Dimensions => 4;

    public static int Bits => 3;

    public static int HighestLevel => 7;

    public static ReadOnlySpan<float> Levels => [1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Look<T>(float* table, T codes) where T : unmanaged, ICodeLanes<T> => T.Look8(table, codes);
}
