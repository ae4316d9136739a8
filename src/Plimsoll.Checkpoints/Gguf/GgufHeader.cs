using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Gguf;

/// <summary>The header of one GGUF file: metadata and tensor descriptions.</summary>
/// <param name="Path">The file or address, for messages.</param>
/// <param name="Version">2 or 3; the layouts are the same.</param>
/// <param name="Alignment">Every tensor's data starts at a multiple of this many bytes from <paramref name="DataOffset"/>.</param>
/// <param name="DataOffset">Where the data section starts.</param>
/// <param name="Tensors">In the order of the file, which is also the order of their data.</param>
/// <remarks>Format: ggml-org/ggml docs/gguf.md and the reference loader gguf.cpp.</remarks>
public sealed record GgufHeader(
    string Path, int Version, int Alignment, long DataOffset, GgufMetadata Metadata, ImmutableArray<TensorHeader> Tensors)
{
    /// <summary>Parses a header from the first bytes of a file.</summary>
    /// <param name="fileLength">The length of the whole file; null when it is not known, which leaves out the check that the data lies within it.</param>
    /// <param name="needed">With a false result: the least number of bytes from the start of the file with which the parser gets further.</param>
    /// <returns>False when the header goes on behind <paramref name="prefix"/>.</returns>
    /// <exception cref="CheckpointFormatException">The header breaks a rule of the format.</exception>
    public static bool TryParse(string path, ReadOnlyMemory<byte> prefix, long? fileLength, [NotNullWhen(true)] out GgufHeader? header, out long needed)
    {
        try
        {
            using var source = new PrefixByteSource(path, prefix, fileLength);
            header = GgufReader.ReadHeader(source);
            needed = 0;
            return true;
        }
        catch (BytesMissingException missing)
        {
            header = null;
            needed = missing.Needed;
            return false;
        }
    }

    /// <inheritdoc cref="TryParse(string, ReadOnlyMemory{byte}, long?, out GgufHeader?, out long)"/>
    public static bool TryParse(string path, ReadOnlyMemory<byte> prefix, long? fileLength, [NotNullWhen(true)] out GgufHeader? header) =>
        TryParse(path, prefix, fileLength, out header, out _);
}
