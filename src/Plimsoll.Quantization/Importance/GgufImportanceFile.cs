using System.Runtime.InteropServices;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;

namespace Plimsoll.Quantization.Importance;

/// <summary>An importance matrix as a GGUF file: two FP32 tensors per weight, <c>NAME.in_sum2</c> (matrices, columns) and <c>NAME.counts</c> (matrices, 1).</summary>
/// <remarks>Source: llama.cpp v0.5.0, tools/imatrix/imatrix.cpp.</remarks>
internal static class GgufImportanceFile
{
    private const string Sums = ".in_sum2";
    private const string Counts = ".counts";

    public static ImportanceMatrix Read(string path)
    {
        var checkpoint = Checkpoint.Open(path);
        var metadata = checkpoint.Gguf!;
        if (metadata.String("general.type") is var type && type != "imatrix")
            throw new CheckpointFormatException(path, null, "a GGUF file of the type 'imatrix'", type is null ? "one without a type" : $"one of the type '{type}'");
        using var reader = new TensorReader();
        var counts = checkpoint.Tensors.Where(tensor => tensor.Name.EndsWith(Counts, StringComparison.Ordinal)).ToDictionary(tensor => tensor.Name[..^Counts.Length], StringComparer.Ordinal);
        return new()
        {
            Entries = [.. checkpoint.Tensors.Where(tensor => tensor.Name.EndsWith(Sums, StringComparison.Ordinal)).Select(tensor => Entry(path, tensor, counts, reader))],
            Datasets = [.. metadata.Strings("imatrix.datasets") ?? []],
            Chunks = (int?)metadata.Integer("imatrix.chunk_count"),
            ChunkSize = (int)(metadata.Integer("imatrix.chunk_size") ?? ImportanceMatrix.DefaultChunkSize),
        };
    }

    public static byte[] Write(ImportanceMatrix matrix)
    {
        var keys = new GgufKeyValues();
        keys.Text("general.type", "imatrix");
        keys.Texts("imatrix.datasets", matrix.Datasets);
        keys.UInt32("imatrix.chunk_count", (uint)(matrix.Chunks ?? 0));
        keys.UInt32("imatrix.chunk_size", (uint)matrix.ChunkSize);
        var entries = matrix.Entries.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
        var layout = GgufWriter.Layout(keys, [.. entries.SelectMany(entry => new GgufTensorInfo[]
        {
            new(entry.Name + Sums, NumberFormats.Fp32, [entry.Counts.Length, entry.Columns]),
            new(entry.Name + Counts, NumberFormats.Fp32, [entry.Counts.Length, 1]),
        })]);
        var bytes = new byte[layout.Length];
        layout.Header.Span.CopyTo(bytes);
        for (var i = 0; i < entries.Length; i++)
        {
            MemoryMarshal.AsBytes(entries[i].Sums.AsSpan()).CopyTo(bytes.AsSpan((int)layout.Offsets[2 * i]));
            var counts = MemoryMarshal.Cast<byte, float>(bytes.AsSpan((int)layout.Offsets[2 * i + 1], entries[i].Counts.Length * sizeof(float)));
            for (var expert = 0; expert < counts.Length; expert++)
                counts[expert] = entries[i].Counts[expert];
        }
        return bytes;
    }

    private static ImportanceEntry Entry(string path, TensorHeader tensor, Dictionary<string, TensorHeader> counts, TensorReader reader)
    {
        var name = tensor.Name[..^Sums.Length];
        if (!counts.TryGetValue(name, out var count))
            throw new CheckpointFormatException(path, tensor.Offset, $"{name}{Counts} beside {tensor.Name}", "none");
        var (sums, numbers) = (Floats(path, tensor, reader), Floats(path, count, reader));
        if (numbers.Length == 0 || sums.Length % numbers.Length != 0)
            throw new CheckpointFormatException(path, count.Offset, $"counts that divide the {sums.Length} sums of {name}", $"{numbers.Length} counts");
        return new(name, ImmutableCollectionsMarshal.AsImmutableArray(sums), [.. numbers.Select(number => number is >= 0 and < long.MaxValue ? (long)number : throw new CheckpointFormatException(path, count.Offset, $"counts of activations for {name}", $"{number}"))]);
    }

    private static float[] Floats(string path, TensorHeader tensor, TensorReader reader)
    {
        if (tensor.Format != NumberFormats.Fp32)
            throw new CheckpointFormatException(path, tensor.Offset, $"{tensor.Name} in FP32", tensor.Format.Name);
        var values = new float[checked((int)tensor.Elements)];
        reader.Read(tensor, 0, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
