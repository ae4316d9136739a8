using Plimsoll.Checkpoints;

namespace Plimsoll.Quantization.Importance;

/// <summary>Files of importance matrices: GGUF, and the older <c>.dat</c> that llama.cpp still reads.</summary>
public static class ImportanceFile
{
    /// <summary>Reads either; the first bytes tell which.</summary>
    /// <exception cref="CheckpointFormatException">The file is neither, or contradicts itself.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ImportanceMatrix Read(string path)
    {
        var matrix = IsGguf(path) ? GgufImportanceFile.Read(path) : LegacyImportanceFile.Read(path);
        foreach (var entry in matrix.Entries)
        {
            if (entry.Sums.Any(sum => !float.IsFinite(sum) || sum < 0))
                throw new CheckpointFormatException(path, null, $"sums of squares for {entry.Name}", "a negative number, NaN or infinity; make the importance matrix again");
        }
        return matrix;
    }

    /// <summary>Writes <c>.dat</c> where the name ends so, GGUF else, under a temporary name first.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, ImportanceMatrix matrix)
    {
        var partial = path + ".partial";
        var bytes = path.EndsWith(".dat", StringComparison.OrdinalIgnoreCase) ? LegacyImportanceFile.Write(matrix) : GgufImportanceFile.Write(matrix);
        try
        {
            File.WriteAllBytes(partial, bytes);
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static bool IsGguf(string path)
    {
        using var file = File.OpenHandle(path);
        Span<byte> magic = stackalloc byte[4];
        return RandomAccess.Read(file, magic, 0) == magic.Length && magic.SequenceEqual("GGUF"u8);
    }
}
