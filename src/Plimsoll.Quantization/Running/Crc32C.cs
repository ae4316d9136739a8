using System.Numerics;
using System.Runtime.InteropServices;

namespace Plimsoll.Quantization.Running;

/// <summary>CRC-32C (Castagnoli polynomial, as in iSCSI and ext4), which processors compute faster than disks write.</summary>
internal static class Crc32C
{
    /// <param name="state">The state after the bytes before, or <see cref="Start"/>.</param>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            state = BitOperations.Crc32C(state, word);
        foreach (var last in bytes[(words.Length * sizeof(ulong))..])
            state = BitOperations.Crc32C(state, last);
        return state;
    }

    public const uint Start = uint.MaxValue;

    public static uint Finish(uint state) => ~state;
}
