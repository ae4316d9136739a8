namespace Plimsoll.Checkpoints.Bytes;

/// <summary>Reads files that are small by nature.</summary>
internal static class SmallFile
{
    /// <exception cref="CheckpointFormatException">The file is larger than <paramref name="limit"/>.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static byte[] Read(string path, long limit)
    {
        var length = new FileInfo(path).Length;
        return length <= limit
            ? File.ReadAllBytes(path)
            : throw new CheckpointFormatException(path, null, $"a file of at most {limit:N0} bytes", $"{length:N0}");
    }
}
