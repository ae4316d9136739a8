using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>One lane read as floats or as codes.</summary>
internal static class LaneBytes
{
    public static float At<T>(in T value, int lane) where T : unmanaged, ILanes<T> => Unsafe.Add(ref Unsafe.As<T, float>(ref Unsafe.AsRef(in value)), lane);

    /// <summary>The codes of a lane.</summary>
    public static void Read<T>(ReadOnlySpan<T> codes, int lane, Span<byte> bytes) where T : unmanaged, ILanes<T>
    {
        var floats = MemoryMarshal.Cast<T, float>(codes);
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = unchecked((byte)(int)floats[i * T.Count + lane]);
    }
}
