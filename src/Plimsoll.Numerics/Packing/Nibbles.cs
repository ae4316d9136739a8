using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Packing;

/// <summary>Codes of four bits, two to a byte.</summary>
public static class Nibbles
{
    private const ushort LowMask = 0x000F;

    /// <summary>byte = first | second &lt;&lt; 4: the order of MXFP4, NVFP4, GPTQ words and ONNX.</summary>
    /// <param name="codes">An even number of codes below 16.</param>
    public static void PackLowFirst(ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        Check(codes.Length, packed.Length);
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; at <= packed.Length - Vector256<byte>.Count; at += Vector256<byte>.Count)
            {
                var first = Vector256.Create(codes[(2 * at)..]).AsUInt16();
                var second = Vector256.Create(codes[(2 * at + Vector256<byte>.Count)..]).AsUInt16();
                Vector256.Narrow(Join(first), Join(second)).CopyTo(packed[at..]);
            }
        }
        for (; at < packed.Length; at++)
            packed[at] = (byte)(codes[2 * at] | codes[2 * at + 1] << 4);
    }

    /// <summary>byte = first &lt;&lt; 4 | second: the order of bitsandbytes.</summary>
    /// <inheritdoc cref="PackLowFirst" path="/param"/>
    public static void PackHighFirst(ReadOnlySpan<byte> codes, Span<byte> packed)
    {
        Check(codes.Length, packed.Length);
        for (var at = 0; at < packed.Length; at++)
            packed[at] = (byte)(codes[2 * at] << 4 | codes[2 * at + 1]);
    }

    /// <summary>The codes of bytes whose low nibble comes first.</summary>
    public static void UnpackLowFirst(ReadOnlySpan<byte> packed, Span<byte> codes)
    {
        Check(codes.Length, packed.Length);
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; at <= packed.Length - Vector256<byte>.Count; at += Vector256<byte>.Count)
            {
                var (first, second) = Vector256.Widen(Vector256.Create(packed[at..]));
                Split(first).AsByte().CopyTo(codes[(2 * at)..]);
                Split(second).AsByte().CopyTo(codes[(2 * at + Vector256<byte>.Count)..]);
            }
        }
        for (; at < packed.Length; at++)
        {
            codes[2 * at] = (byte)(packed[at] & LowMask);
            codes[2 * at + 1] = (byte)(packed[at] >> 4);
        }
    }

    /// <summary>The codes of bytes whose high nibble comes first.</summary>
    public static void UnpackHighFirst(ReadOnlySpan<byte> packed, Span<byte> codes)
    {
        Check(codes.Length, packed.Length);
        for (var at = 0; at < packed.Length; at++)
        {
            codes[2 * at] = (byte)(packed[at] >> 4);
            codes[2 * at + 1] = (byte)(packed[at] & LowMask);
        }
    }

    /// <summary>0x0b0a becomes 0xba.</summary>
    private static Vector256<ushort> Join(Vector256<ushort> pairs) => (pairs & Vector256.Create(LowMask)) | (Vector256.ShiftRightLogical(pairs, 4) & Vector256.Create((ushort)0x00F0));

    /// <summary>0x00ba becomes 0x0b0a, whose bytes are a, b.</summary>
    private static Vector256<ushort> Split(Vector256<ushort> bytes) => (bytes & Vector256.Create(LowMask)) | Vector256.ShiftLeft(bytes & Vector256.Create((ushort)0x00F0), 4);

    private static void Check(int codes, int bytes)
    {
        if (codes != checked(2 * bytes))
            throw new ArgumentException($"{bytes} bytes hold {2L * bytes} codes of four bits, not {codes}", nameof(codes));
    }
}
