using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Single lanes as floats, codes and FP16 numbers.</summary>
internal static class LaneBytes
{
    public static float At<T>(in T value, int lane) where T : unmanaged, ILanes<T> => Unsafe.Add(ref Unsafe.As<T, float>(ref Unsafe.AsRef(in value)), lane);

    public static void Set<T>(ref T value, int lane, float single) where T : unmanaged, ILanes<T> => Unsafe.Add(ref Unsafe.As<T, float>(ref value), lane) = single;

    /// <summary>Each lane as the nearest FP16 number.</summary>
    public static T RoundToFp16<T>(T value) where T : unmanaged, ILanes<T>
    {
        var floats = MemoryMarshal.Cast<T, float>(MemoryMarshal.CreateSpan(ref value, 1));
        foreach (ref var lane in floats)
            lane = Fp16.ToSingle(Fp16.FromSingle(lane));
        return value;
    }

    /// <summary>The codes of a lane.</summary>
    public static void Read<T>(ReadOnlySpan<T> codes, int lane, Span<byte> bytes) where T : unmanaged, ILanes<T>
    {
        var floats = MemoryMarshal.Cast<T, float>(codes);
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = unchecked((byte)(int)floats[i * T.Count + lane]);
    }
}
