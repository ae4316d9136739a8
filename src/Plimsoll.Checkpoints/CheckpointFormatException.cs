namespace Plimsoll.Checkpoints;

/// <summary>A checkpoint, configuration or archive does not say what its format requires. The file is bad, not the caller.</summary>
/// <remarks>Every reader of this project throws this and nothing else for bad content, whatever bytes it is given.</remarks>
public sealed class CheckpointFormatException : Exception
{
    /// <param name="path">The file, as the user named it.</param>
    /// <param name="offset">Byte offset of the offending field; null where the format is text without offsets.</param>
    /// <param name="expected">What the format requires there, for example <c>a header of at most 100,000,000 bytes</c>.</param>
    /// <param name="found">What was read instead.</param>
    public CheckpointFormatException(string path, long? offset, string expected, string found, Exception? inner = null)
        : base($"{path}: {(offset is { } at ? $"at byte {at}: " : "")}expected {expected}, found {found}", inner)
    {
        Path = path;
        Offset = offset;
        Expected = expected;
        Found = found;
    }

    public string Path { get; }

    public long? Offset { get; }

    public string Expected { get; }

    public string Found { get; }
}
