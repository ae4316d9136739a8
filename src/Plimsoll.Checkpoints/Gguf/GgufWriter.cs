using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Gguf;

/// <summary>A tensor of a GGUF file that is going to be written.</summary>
/// <param name="Dimensions">Row-major, slowest first; the file has them the other way round.</param>
public sealed record GgufTensorInfo(string Name, NumberFormat Format, ImmutableArray<long> Dimensions)
{
    /// <summary>Bytes of its data, without padding.</summary>
    public long Bytes { get; } = Format.BytesFor(Dimensions.Aggregate(1L, (product, size) => checked(product * size)));
}

/// <summary>Everything before the data of a GGUF file, and where the data goes.</summary>
/// <param name="Header">The bytes up to the data section, padding included.</param>
/// <param name="Offsets">Byte offset of each tensor from the start of the file, in their order.</param>
/// <param name="Length">Bytes of the whole file; the last tensor is padded too.</param>
public sealed record GgufFileLayout(ReadOnlyMemory<byte> Header, ImmutableArray<long> Offsets, long Length);

/// <summary>Lays out a GGUF file of version 3: the mirror of <see cref="GgufReader"/>.</summary>
/// <remarks>Tensors lie one after the other in the order of their descriptions, each at a multiple of the alignment: ggml's loader accepts nothing else.</remarks>
public static class GgufWriter
{
    public const uint Version = 3;

    private const string AlignmentKey = "general.alignment";

    /// <param name="alignment">A power of two; written as a key unless it is the default of 32.</param>
    /// <exception cref="ArgumentException">A name is too long or used twice, a tensor has too many dimensions, or its rows are no whole blocks of its format.</exception>
    public static GgufFileLayout Layout(GgufKeyValues keys, IReadOnlyList<GgufTensorInfo> tensors, int alignment = GgufLimits.DefaultAlignment)
    {
        if (alignment <= 0 || !int.IsPow2(alignment))
            throw new ArgumentException($"an alignment is a power of two, not {alignment}", nameof(alignment));
        Check(tensors);
        if (alignment != GgufLimits.DefaultAlignment || keys.Contains(AlignmentKey))
            keys.UInt32(AlignmentKey, (uint)alignment);

        using var header = new MemoryStream(checked((int)Math.Min(Array.MaxLength, keys.Length + 128L * tensors.Count + 64)));
        header.Write("GGUF"u8);
        Write(header, Version);
        Write(header, tensors.Count);
        Write(header, keys.Keys.Count);
        keys.WriteTo(header);
        var offsets = ImmutableArray.CreateBuilder<long>(tensors.Count);
        var end = 0L;
        foreach (var tensor in tensors)
        {
            WriteTensor(header, tensor, end);
            offsets.Add(end);
            end = Pad(checked(end + tensor.Bytes), alignment);
        }
        header.SetLength(Pad(header.Length, alignment));
        var start = header.Length;
        return new(header.ToArray(), [.. offsets.Select(offset => start + offset)], checked(start + end));
    }

    private static void Check(IReadOnlyList<GgufTensorInfo> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in tensors)
        {
            if (Encoding.UTF8.GetByteCount(tensor.Name) is 0 or > GgufLimits.MaxTensorNameBytes)
                throw new ArgumentException($"a tensor name has 1 to {GgufLimits.MaxTensorNameBytes} bytes, not '{tensor.Name}'", nameof(tensors));
            if (!names.Add(tensor.Name))
                throw new ArgumentException($"'{tensor.Name}' is there twice", nameof(tensors));
            if (tensor.Dimensions.Length is 0 or > GgufLimits.MaxDimensions)
                throw new ArgumentException($"'{tensor.Name}' has {tensor.Dimensions.Length} dimensions; GGUF has 1 to {GgufLimits.MaxDimensions}", nameof(tensors));
            if (tensor.Format.GgmlType is null)
                throw new ArgumentException($"'{tensor.Name}' is {tensor.Format}, which ggml does not have", nameof(tensors));
            if (tensor.Dimensions[^1] % tensor.Format.BlockLength != 0)
                throw new ArgumentException($"'{tensor.Name}' has rows of {tensor.Dimensions[^1]}, which blocks of {tensor.Format.BlockLength} ({tensor.Format}) do not divide", nameof(tensors));
        }
    }

    private static void WriteTensor(Stream header, GgufTensorInfo tensor, long offset)
    {
        var name = Encoding.UTF8.GetBytes(tensor.Name);
        Write(header, (long)name.Length);
        header.Write(name);
        Write(header, (uint)tensor.Dimensions.Length);
        foreach (var size in tensor.Dimensions.Reverse())
            Write(header, size);
        Write(header, (uint)tensor.Format.GgmlType!.Value);
        Write(header, offset);
    }

    private static long Pad(long position, int alignment) => checked((position + alignment - 1) / alignment * alignment);

    private static void Write(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void Write(Stream stream, long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }
}
