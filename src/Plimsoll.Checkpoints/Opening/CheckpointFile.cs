using System.Collections.Immutable;
using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.PyTorch;
using Plimsoll.Checkpoints.Safetensors;

namespace Plimsoll.Checkpoints.Opening;

/// <summary>One file of a checkpoint, whatever its format.</summary>
/// <param name="Path">The file or address; the same as in its tensors.</param>
internal sealed record CheckpointFile(
    string Path, CheckpointFormat Format, ImmutableArray<TensorHeader> Tensors, ImmutableDictionary<string, string> Metadata, GgufHeader? Gguf = null)
{
    /// <summary>Its name as an index would give it.</summary>
    public string Name { get; init; } = System.IO.Path.GetFileName(Path);

    public static CheckpointFile Read(string path)
    {
        using var source = new FileByteSource(path);
        switch (Recognize(source))
        {
            case CheckpointFormat.Gguf:
                var gguf = GgufReader.ReadHeader(source);
                return new(path, CheckpointFormat.Gguf, gguf.Tensors, ImmutableDictionary<string, string>.Empty, gguf);
            case CheckpointFormat.Safetensors:
                var safetensors = SafetensorsReader.ReadHeader(source);
                return new(path, CheckpointFormat.Safetensors, safetensors.Tensors, safetensors.Metadata);
            default:
                var archive = PyTorchReader.Read(source);
                return new(path, CheckpointFormat.PyTorch, archive.Tensors, archive.Metadata);
        }
    }

    /// <summary>Whether the first bytes are those of a checkpoint: many files are called <c>.bin</c>.</summary>
    public static bool IsRecognized(string path)
    {
        using var source = new FileByteSource(path);
        Span<byte> buffer = stackalloc byte[16];
        return ByContent(buffer[..source.Read(0, buffer)]) is not null;
    }

    private static CheckpointFormat? ByContent(ReadOnlySpan<byte> first) =>
        first.StartsWith("GGUF"u8) ? CheckpointFormat.Gguf
        : first.StartsWith("PK\x3\x4"u8) || first.Length > 1 && first[0] == 0x80 && first[1] is >= 2 and <= 5 ? CheckpointFormat.PyTorch
        : first.Length > SafetensorsLimits.LengthBytes && first[SafetensorsLimits.LengthBytes] == (byte)'{' ? CheckpointFormat.Safetensors
        : null;

    /// <summary>The content decides; only what no format recognizes is judged by its name, so that the reader of that format says what is wrong.</summary>
    private static CheckpointFormat Recognize(ByteSource source)
    {
        Span<byte> buffer = stackalloc byte[16];
        var first = buffer[..source.Read(0, buffer)];
        if (ByContent(first) is { } format)
            return format;
        if (first.StartsWith("version https://"u8))
            throw Refuse(source, "a Git LFS pointer: the data was not downloaded ('git lfs pull' does it)");
        if (first.StartsWith("lmgg"u8) || first.StartsWith("tjgg"u8) || first.StartsWith("fmgg"u8))
            throw Refuse(source, "a GGML file from before GGUF (August 2023)");
        return System.IO.Path.GetExtension(source.Path).ToLowerInvariant() switch
        {
            ".gguf" => CheckpointFormat.Gguf,
            ".safetensors" => CheckpointFormat.Safetensors,
            ".bin" or ".pt" or ".pth" or ".ckpt" => CheckpointFormat.PyTorch,
            _ => throw Refuse(source, first.IsEmpty ? "an empty file" : $"the bytes {Convert.ToHexString(first[..Math.Min(8, first.Length)])}"),
        };
    }

    private static CheckpointFormatException Refuse(ByteSource source, string found) => new(source.Path, 0, "a safetensors, GGUF or PyTorch file", found);
}
