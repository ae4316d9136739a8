using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Plimsoll.Checkpoints.Safetensors;

/// <summary>The header of a safetensors file: every tensor by name, type, shape and place, and the free-form metadata.</summary>
/// <param name="Path">The file or address, for messages.</param>
/// <param name="DataOffset">Where the data buffer starts: 8 + the header's length.</param>
/// <param name="DataLength">Bytes of the data buffer, which the tensors tile exactly.</param>
/// <param name="Metadata">The <c>__metadata__</c> object.</param>
/// <param name="Tensors">In the order of the header.</param>
/// <remarks>Format: huggingface/safetensors, README "Format" and tensor.rs.</remarks>
public sealed record SafetensorsHeader(
    string Path, long DataOffset, long DataLength, ImmutableDictionary<string, string> Metadata, ImmutableArray<TensorHeader> Tensors)
{
    /// <summary>Reads the length field: the number of bytes of JSON that follow the first eight bytes.</summary>
    /// <param name="first">At least the first eight bytes of the file.</param>
    /// <param name="fileLength">The length of the whole file; null when it is not known.</param>
    /// <exception cref="CheckpointFormatException">There are fewer than eight bytes, or the length exceeds the format's limit or the file.</exception>
    public static int JsonLength(string path, ReadOnlySpan<byte> first, long? fileLength)
    {
        if (first.Length < SafetensorsLimits.LengthBytes)
            throw new CheckpointFormatException(path, 0, "a safetensors file, which starts with an 8-byte header length", $"{first.Length} bytes");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(first);
        if (length > SafetensorsLimits.MaxHeaderBytes)
            throw new CheckpointFormatException(path, 0, $"a header of at most {SafetensorsLimits.MaxHeaderBytes:N0} bytes", $"a length of {length:N0}");
        if ((long)length > fileLength - SafetensorsLimits.LengthBytes)
            throw new CheckpointFormatException(path, 0, "a header that ends within the file", $"a length of {length:N0} in a file of {fileLength:N0} bytes");
        return (int)length;
    }

    /// <summary>Parses the JSON of a header.</summary>
    /// <param name="json">Exactly the bytes that the length field announces.</param>
    /// <param name="dataLength">Bytes after the header; null when they are not known, which leaves out the comparison with the file's length.</param>
    /// <exception cref="CheckpointFormatException">The header breaks a rule of the format.</exception>
    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> json, long? dataLength) =>
        new SafetensorsParser(path, json).Parse(dataLength);

    /// <summary>Parses a header from the first bytes of a file.</summary>
    /// <param name="fileLength">The length of the whole file; null when it is not known.</param>
    /// <param name="needed">With a false result: the bytes from the start of the file that will do.</param>
    /// <returns>False when the header goes on behind <paramref name="prefix"/>.</returns>
    /// <exception cref="CheckpointFormatException">The header breaks a rule of the format.</exception>
    public static bool TryParse(string path, ReadOnlySpan<byte> prefix, long? fileLength, [NotNullWhen(true)] out SafetensorsHeader? header, out long needed)
    {
        header = null;
        needed = SafetensorsLimits.LengthBytes;
        if (prefix.Length < needed && !(fileLength <= prefix.Length))
            return false;
        var length = JsonLength(path, prefix, fileLength);
        needed += length;
        if (prefix.Length < needed)
            return false;
        header = Parse(path, prefix.Slice(SafetensorsLimits.LengthBytes, length), fileLength - needed);
        return true;
    }
}
