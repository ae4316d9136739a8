using System.Buffers.Binary;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Gguf;

/// <summary>Where an array of GGUF metadata lies that was not read with the header: the vocabulary, its scores, the merges.</summary>
/// <param name="Key">Its key, for messages.</param>
/// <param name="Offset">Byte offset of the first element from the start of the file.</param>
/// <param name="Bytes">Bytes of all elements, the lengths of strings included.</param>
public sealed record GgufArray(string Path, string Key, GgufValueType ElementType, long Count, long Offset, long Bytes)
{
    /// <summary>Reads the strings one after the other; nothing is kept.</summary>
    /// <exception cref="CheckpointFormatException">The elements are not strings.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IEnumerable<string> ReadStrings()
    {
        if (ElementType != GgufValueType.Text)
            throw new CheckpointFormatException(Path, Offset, $"an array of strings as '{Key}'", $"an array of {ElementType}");
        return Stream();

        IEnumerable<string> Stream()
        {
            using var source = new FileByteSource(Path);
            var cursor = new ByteCursor(source, Offset, Math.Min(Offset + Bytes, source.Length!.Value));
            for (var index = 0L; index < Count; index++)
                yield return cursor.ReadText((long)cursor.ReadUInt64("string length"), "string");
        }
    }

    /// <summary>Reads the numbers one after the other, integers of every width and truth values included.</summary>
    /// <exception cref="CheckpointFormatException">The elements are strings.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IEnumerable<double> ReadNumbers()
    {
        if (ElementType == GgufValueType.Text)
            throw new CheckpointFormatException(Path, Offset, $"an array of numbers as '{Key}'", "an array of strings");
        return Stream();

        IEnumerable<double> Stream()
        {
            using var source = new FileByteSource(Path);
            var cursor = new ByteCursor(source, Offset, Math.Min(Offset + Bytes, source.Length!.Value));
            for (var index = 0L; index < Count; index++)
                yield return ReadNumber(cursor.Take(ElementType.Bytes(), "element"), ElementType);
        }
    }

    private static double ReadNumber(ReadOnlySpan<byte> bytes, GgufValueType type) => type switch
    {
        GgufValueType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        GgufValueType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        GgufValueType.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        _ => ReadInteger(bytes, type),
    };

    /// <summary>An integer or truth value of any type but UInt64, widened.</summary>
    internal static long ReadInteger(ReadOnlySpan<byte> bytes, GgufValueType type) => type switch
    {
        GgufValueType.UInt8 => bytes[0],
        GgufValueType.Int8 => (sbyte)bytes[0],
        GgufValueType.Boolean => bytes[0] == 0 ? 0 : 1,
        GgufValueType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        GgufValueType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        GgufValueType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        GgufValueType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        GgufValueType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not an integer type"),
    };
}
