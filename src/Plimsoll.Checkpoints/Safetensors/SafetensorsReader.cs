using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Safetensors;

/// <summary>Reads the header of a safetensors file on disk; the data is never touched.</summary>
public static class SafetensorsReader
{
    /// <exception cref="CheckpointFormatException">The file breaks a rule of the format.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsHeader ReadHeader(string path)
    {
        using var source = new FileByteSource(path);
        return ReadHeader(source);
    }

    internal static SafetensorsHeader ReadHeader(ByteSource source)
    {
        var cursor = new ByteCursor(source);
        if (cursor.Remaining < SafetensorsLimits.LengthBytes)
            SafetensorsHeader.JsonLength(source.Path, cursor.Take((int)cursor.Remaining, "file"), source.Length);
        var length = SafetensorsHeader.JsonLength(source.Path, cursor.Take(SafetensorsLimits.LengthBytes, "header length"), source.Length);
        return SafetensorsHeader.Parse(source.Path, cursor.Take(length, "header"), source.Length - SafetensorsLimits.LengthBytes - length);
    }
}
