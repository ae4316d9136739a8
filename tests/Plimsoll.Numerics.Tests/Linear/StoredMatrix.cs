using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Numerics.Tests.Linear;

/// <summary>Random weights as a file holds them, and as the floats that they stand for.</summary>
internal sealed class StoredMatrix
{
    private readonly byte[] bytes;
    private readonly int rowBytes;

    public StoredMatrix(NumberFormat format, int rows, int columns, int seed = 1)
    {
        Format = format;
        Rows = rows;
        Columns = columns;
        var weights = Normal(rows * columns, seed);
        rowBytes = (int)format.BytesFor(columns);
        bytes = new byte[rows * rowBytes];
        Values = new float[rows * columns];
        if (format == NumberFormats.Fp32)
        {
            MemoryMarshal.AsBytes<float>(weights).CopyTo(bytes);
            Values = weights;
        }
        else if (format == NumberFormats.Fp16 || format == NumberFormats.Bf16)
        {
            var codes = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
            for (var i = 0; i < codes.Length; i++)
            {
                codes[i] = format == NumberFormats.Fp16 ? Fp16.FromSingle(weights[i]) : Bf16.FromSingle(weights[i]);
                Values[i] = format == NumberFormats.Fp16 ? Fp16.ToSingle(codes[i]) : Bf16.ToSingle(codes[i]);
            }
        }
        else
        {
            var codec = BlockCodecs.Find(format)!;
            var importance = codec.Importance == ImportanceUse.Required ? Enumerable.Repeat(1f, columns).ToArray() : [];
            codec.Encode(weights, columns, bytes, importance);
            codec.Decode(bytes, Values);
        }
    }

    /// <summary>Every format that can be multiplied.</summary>
    public static IEnumerable<NumberFormat> Formats => NumberFormats.All.Where(PackedMatrices.Supports);

    public NumberFormat Format { get; }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>(rows, columns), decoded by the codec.</summary>
    public float[] Values { get; }

    public void Read(int firstRow, Span<byte> target) => bytes.AsSpan(firstRow * rowBytes, target.Length).CopyTo(target);

    /// <summary>Σ w · x in double precision, and Σ |w · x|, the scale of its rounding errors.</summary>
    public (double Sum, double Magnitude) Dot(int row, ReadOnlySpan<float> input)
    {
        var (sum, magnitude) = (0.0, 0.0);
        for (var k = 0; k < Columns; k++)
        {
            var product = (double)Values[row * Columns + k] * input[k];
            sum += product;
            magnitude += Math.Abs(product);
        }
        return (sum, magnitude);
    }

    public static float[] Normal(int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }
}
