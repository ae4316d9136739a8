using System.Runtime.InteropServices;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Kernels.Benchmarks;

/// <summary>Random weights in one format, and the inputs that meet them.</summary>
internal sealed class Workload
{
    private const int DistinctRows = 64;

    /// <param name="bytesInTurn">Weights that one round goes through, several matrices of them, so that none is left in a cache for the next.</param>
    public Workload(NumberFormat format, int rows, int columns, int count, long bytesInTurn)
    {
        (Rows, Columns, Count) = (rows, columns, count);
        Inputs = Normal(count * columns, 2, 1);
        var rowBytes = (int)format.BytesFor(columns);
        Weights = new byte[(long)rows * rowBytes];
        Copies = (int)Math.Max(1, bytesInTurn / Weights.Length);
        var distinct = Encode(format, Normal(DistinctRows * columns, 1, (float)(1 / Math.Sqrt(columns))), columns);
        for (var row = 0; row < rows; row++)
            distinct.AsSpan(row % DistinctRows * rowBytes, rowBytes).CopyTo(Weights.AsSpan(row * rowBytes));
    }

    public int Rows { get; }

    public int Columns { get; }

    public int Count { get; }

    public int Copies { get; }

    public byte[] Weights { get; }

    public float[] Inputs { get; }

    public long BytesPerRound => (long)Copies * Weights.Length;

    public double OperationsPerRound => 2.0 * Copies * Rows * Columns * Count;

    private static byte[] Encode(NumberFormat format, float[] values, int columns)
    {
        var bytes = new byte[format.BytesFor(values.Length)];
        if (format == NumberFormats.Fp32)
        {
            MemoryMarshal.AsBytes<float>(values).CopyTo(bytes);
        }
        else if (format == NumberFormats.Fp16 || format == NumberFormats.Bf16)
        {
            var codes = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
            for (var i = 0; i < codes.Length; i++)
                codes[i] = format == NumberFormats.Fp16 ? Fp16.FromSingle(values[i]) : Bf16.FromSingle(values[i]);
        }
        else
        {
            var codec = BlockCodecs.Find(format)!;
            codec.Encode(values, columns, bytes, codec.Importance == ImportanceUse.Required ? Enumerable.Repeat(1f, columns).ToArray() : []);
        }
        return bytes;
    }

    private static float[] Normal(int count, int seed, float deviation)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = deviation * (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }
}
