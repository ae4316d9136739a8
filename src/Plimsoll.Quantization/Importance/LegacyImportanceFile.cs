using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Plimsoll.Checkpoints;

namespace Plimsoll.Quantization.Importance;

/// <summary>The older file of an importance matrix, <c>.dat</c>: for each tensor its mean squares times the number of chunks that it saw.</summary>
/// <remarks>
/// Little-endian: int32 entries; each int32 length, name, int32 chunks, int32 values, float32[values]; then, where there are bytes left, int32 chunks of all,
/// int32 length, data set. Source: llama.cpp v0.5.0, tools/imatrix/imatrix.cpp.
/// </remarks>
internal static class LegacyImportanceFile
{
    /// <summary>The name of a tensor in GGUF has at most 63 bytes; a longer text is no such file.</summary>
    private const int LongestName = 1024;

    public static ImportanceMatrix Read(string path)
    {
        using var stream = File.OpenRead(path);
        using var reader = new BinaryReader(stream, Encoding.UTF8);
        try
        {
            var count = Number(path, reader, 1, int.MaxValue, "a number of entries, or the letters GGUF");
            var entries = ImmutableArray.CreateBuilder<ImportanceEntry>();
            for (var i = 0; i < count; i++)
                entries.Add(Entry(path, reader));
            if (stream.Position == stream.Length)
                return new() { Entries = entries.ToImmutable() };
            var chunks = Number(path, reader, 0, int.MaxValue, "a number of chunks");
            var dataset = Text(path, reader, 64 * 1024, "the name of a data set");
            return new() { Entries = entries.ToImmutable(), Chunks = chunks, Datasets = dataset.Length > 0 ? [dataset] : [] };
        }
        catch (EndOfStreamException)
        {
            throw new CheckpointFormatException(path, stream.Position, "more bytes of an importance matrix", "the end of the file (it is cut off)");
        }
    }

    public static byte[] Write(ImportanceMatrix matrix)
    {
        var seen = matrix.Entries.Where(entry => entry.Counts.Any(count => count > 0)).OrderBy(entry => entry.Name, StringComparer.Ordinal).ToList();
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(seen.Count);
        foreach (var entry in seen)
        {
            Write(writer, entry.Name);
            var chunks = (int)((entry.Counts.Max() + matrix.ChunkSize - 1) / matrix.ChunkSize);
            writer.Write(chunks);
            writer.Write(entry.Sums.Length);
            foreach (var mean in entry.MeanSquares())
                writer.Write(mean * chunks);
        }
        writer.Write(matrix.Chunks ?? 0);
        Write(writer, matrix.Datasets.FirstOrDefault() ?? "");
        writer.Flush();
        return stream.ToArray();
    }

    private static ImportanceEntry Entry(string path, BinaryReader reader)
    {
        var name = Text(path, reader, LongestName, "the name of a tensor");
        var chunks = Number(path, reader, 0, int.MaxValue, $"the chunks of {name}");
        var left = (reader.BaseStream.Length - reader.BaseStream.Position - sizeof(int)) / sizeof(float);
        var values = new float[Number(path, reader, 1, (int)Math.Clamp(left, 0, Array.MaxLength), $"the number of values of {name}, no more than the file holds")];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        // Old files with no count hold means.
        return new(name, ImmutableCollectionsMarshal.AsImmutableArray(values), [Math.Max(1, chunks)]);
    }

    private static int Number(string path, BinaryReader reader, int least, int most, string what)
    {
        var at = reader.BaseStream.Position;
        var number = reader.ReadInt32();
        return number >= least && number <= most ? number : throw new CheckpointFormatException(path, at, what, $"{number}");
    }

    private static string Text(string path, BinaryReader reader, int longest, string what)
    {
        var length = Number(path, reader, 0, longest, $"the length of {what}");
        var bytes = reader.ReadBytes(length);
        return bytes.Length == length ? Encoding.UTF8.GetString(bytes) : throw new EndOfStreamException();
    }

    private static void Write(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }
}
