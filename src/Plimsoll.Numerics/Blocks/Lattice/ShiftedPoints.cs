using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>The points of IQ1 with their shift δ = ±1/8, times eight, so that they are signed bytes: 8 · level ± 1.</summary>
internal static class ShiftedPoints
{
    /// <summary>How often a level goes into a byte.</summary>
    public const float Unit = 0.125f;

    private static readonly ulong[] Up = Shifted(1);
    private static readonly ulong[] Down = Shifted(-1);

    /// <summary>The eight bytes of a point.</summary>
    public static ulong At(int index, bool isDown) => (isDown ? Down : Up)[index];

    private static ulong[] Shifted(int shift) =>
        MemoryMarshal.Cast<sbyte, ulong>((sbyte[])[.. Lattice.Iq1.Values.Select(level => (sbyte)(8 * level + shift))]).ToArray();
}
