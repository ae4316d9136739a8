using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Codecs;

/// <summary>Reads and writes stored numbers of any plain element type as FP32. Bytes are little-endian, as in every checkpoint format.</summary>
public static class ElementCodec
{
    /// <summary>Whether <see cref="Decode"/> takes the format: every float and integer of whole bytes but complex numbers.</summary>
    public static bool CanDecode(NumberFormat format) =>
        format.Kind != NumberFormatKind.Block && format.BlockLength == 1 && format.Name is not ("C64" or "TF32");

    /// <summary>The values of stored elements; 64-bit ones are rounded to FP32.</summary>
    /// <exception cref="ArgumentException">The format is none of plain elements, or the lengths do not fit each other.</exception>
    public static void Decode(NumberFormat format, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        if (!CanDecode(format))
            throw new ArgumentException($"{format} has no elements of whole bytes", nameof(format));
        if (bytes.Length != format.BytesFor(values.Length))
            throw new ArgumentException($"{bytes.Length} bytes are not {values.Length} elements of {format}", nameof(bytes));
        if (format == NumberFormats.Fp32)
            MemoryMarshal.Cast<byte, float>(bytes).CopyTo(values);
        else if (format == NumberFormats.Fp64)
            Each(bytes, values, 8, item => (float)BinaryPrimitives.ReadDoubleLittleEndian(item));
        else if (format == NumberFormats.E8M0)
            Each(bytes, values, 1, item => (float)E8M0.Decode(item[0]));
        else if (format == NumberFormats.Fp16)
            FloatCast.FromFp16(MemoryMarshal.Cast<byte, ushort>(bytes), values);
        else if (format == NumberFormats.Bf16)
            FloatCast.FromBf16(MemoryMarshal.Cast<byte, ushort>(bytes), values);
        else if (format.Layout is { } small)
            FloatCast.Decode(small, bytes, values);
        else
            DecodeIntegers(format, bytes, values);
    }

    /// <summary>Stores values as FP32, FP16, BF16 or FP8, rounding to nearest, ties to even.</summary>
    /// <exception cref="ArgumentException">The format is none of these, or the lengths do not fit each other.</exception>
    public static void Encode(NumberFormat format, ReadOnlySpan<float> values, Span<byte> bytes, FloatOverflow overflow = FloatOverflow.Cast)
    {
        if (bytes.Length != format.BytesFor(values.Length))
            throw new ArgumentException($"{values.Length} elements of {format} are not {bytes.Length} bytes", nameof(bytes));
        if (format == NumberFormats.Fp32)
            MemoryMarshal.AsBytes(values).CopyTo(bytes);
        else if (format == NumberFormats.Fp16)
            FloatCast.ToFp16(values, MemoryMarshal.Cast<byte, ushort>(bytes), overflow);
        else if (format == NumberFormats.Bf16)
            FloatCast.ToBf16(values, MemoryMarshal.Cast<byte, ushort>(bytes), overflow);
        else if (format.Layout is { Bits: 8 } small)
            FloatCast.Encode(small, values, bytes, overflow);
        else
            throw new ArgumentException($"{format} is no element type that weights are stored in", nameof(format));
    }

    private static void DecodeIntegers(NumberFormat format, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (format.BlockBytes, format.IsSigned)
        {
            case (1, true):
                Each(bytes, values, 1, item => (sbyte)item[0]);
                break;
            case (1, false):
                Each(bytes, values, 1, item => item[0]);
                break;
            case (2, true):
                Each(bytes, values, 2, item => BinaryPrimitives.ReadInt16LittleEndian(item));
                break;
            case (2, false):
                Each(bytes, values, 2, item => BinaryPrimitives.ReadUInt16LittleEndian(item));
                break;
            case (4, true):
                Each(bytes, values, 4, item => BinaryPrimitives.ReadInt32LittleEndian(item));
                break;
            case (4, false):
                Each(bytes, values, 4, item => BinaryPrimitives.ReadUInt32LittleEndian(item));
                break;
            case (_, true):
                Each(bytes, values, 8, item => BinaryPrimitives.ReadInt64LittleEndian(item));
                break;
            default:
                Each(bytes, values, 8, item => BinaryPrimitives.ReadUInt64LittleEndian(item));
                break;
        }
    }

    private delegate float Reader(ReadOnlySpan<byte> item);

    private static void Each(ReadOnlySpan<byte> bytes, Span<float> values, int size, Reader read)
    {
        for (var at = 0; at < values.Length; at++)
            values[at] = read(bytes.Slice(at * size, size));
    }
}
