namespace Plimsoll.Torch.Saving;

/// <summary>Small files that are there whole or not at all.</summary>
internal static class WholeFile
{
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        File.WriteAllBytes(path + ".partial", content);
        File.Move(path + ".partial", path, overwrite: true);
    }
}
