using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Packing;

namespace Plimsoll.Checkpoints.Data;

/// <summary>Codes with a scale and an offset that is no whole number of scales: w[o, k] = scale[o, g] · q[o, k] + offset[o, g].</summary>
internal sealed class AffineWeight : StoredWeight
{
    private readonly TensorHeader words;
    private readonly TensorReader reader;
    private readonly int bits;
    private readonly int groupLength;
    private readonly int wordsPerRow;
    private readonly Lazy<(float[] Scales, float[] Offsets)> groups;

    /// <summary>How scales lie: (rows, groups), or (groups, rows).</summary>
    private readonly bool isTransposed;

    /// <summary>Codes are in two's complement.</summary>
    private readonly bool isSigned;

    /// <summary>mlx-lm: weight (…, in · bits / 32) U32 a bit stream per row, scales and biases (…, groups).</summary>
    /// <exception cref="CheckpointFormatException">The tensors do not fit each other.</exception>
    public static AffineWeight Mlx(ParameterStorage storage, TensorReader reader)
    {
        var biases = storage.Find("biases") ?? throw SideTensor.Bad(storage.Main, "biases beside scales, as in MLX's affine mode", "none");
        return new(storage, storage.Find("")!, storage.Dimensions!.Value, storage.Bits!.Value, storage.Find("scales")!, biases, isTransposed: false, isSigned: false, reader);
    }

    /// <summary>torchao's Int4Tensor: qdata (out, in / 2), the first of two signed codes in the low nibble, scale and zero_point (groups, out), w = scale · q + zero_point.</summary>
    /// <remarks>Source: fbgemm_gpu quantize_utils.py (int4_row_quantize_zp, pack_int4), which torchao calls.</remarks>
    /// <inheritdoc cref="Mlx" path="/exception"/>
    public static AffineWeight TorchAo(ParameterStorage storage, TensorReader reader)
    {
        var codes = storage.FindAny("_weight_qdata", "qdata")!;
        if (codes.Dimensions is not [var rows, var bytes] || codes.Format.BlockBytes != 1 || bytes % 4 != 0)
            throw SideTensor.Bad(codes, "bytes (out, in / 2) of torchao's plain int4 packing", $"{codes.Format} [{string.Join(", ", codes.Dimensions)}]");
        var scale = storage.FindAny("_weight_scale", "scale") ?? throw SideTensor.Bad(codes, "scales beside the codes", "none");
        var zero = storage.FindAny("_weight_zero_point", "zero_point") ?? throw SideTensor.Bad(codes, "zero points beside the codes", "none");
        return new(storage, codes, [rows, checked(bytes * 2)], 4, scale, zero, isTransposed: true, isSigned: true, reader);
    }

    private AffineWeight(
        ParameterStorage storage, TensorHeader words, ImmutableArray<long> dimensions, int bits, TensorHeader scale, TensorHeader offset, bool isTransposed, bool isSigned, TensorReader reader)
        : base(storage, dimensions)
    {
        (this.words, this.reader, this.bits, this.isTransposed, this.isSigned) = (words, reader, bits, isTransposed, isSigned);
        var count = Rows == 0 ? 0 : scale.Elements / Rows;
        wordsPerRow = checked((int)BitStream.WordsFor(RowLength, bits));
        if (words.Strides is not null || count < 1 || scale.Elements != count * Rows || offset.Elements != scale.Elements || RowLength % count != 0 || words.Bytes != checked(Rows * wordsPerRow * sizeof(uint)))
            throw SideTensor.Bad(scale, $"scales of whole groups of {Rows:N0} × {RowLength:N0} codes of {bits} bits", $"[{string.Join(", ", scale.Dimensions)}]");
        groupLength = (int)(RowLength / count);
        groups = new(() => (SideTensor.Floats(reader, scale), SideTensor.Floats(reader, offset)));
    }

    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        var (columns, count) = ((int)RowLength, (int)RowLength / groupLength);
        var packed = ArrayPool<uint>.Shared.Rent(wordsPerRow);
        var codes = ArrayPool<byte>.Shared.Rent(columns);
        try
        {
            for (var row = firstRow; !values.IsEmpty; row++)
            {
                reader.Read(words, row * wordsPerRow * sizeof(uint), MemoryMarshal.AsBytes(packed.AsSpan(0, wordsPerRow)));
                BitStream.Unpack(packed.AsSpan(0, wordsPerRow), bits, codes.AsSpan(0, columns));
                for (var column = 0; column < columns; column++)
                {
                    var at = isTransposed ? column / groupLength * Rows + row : row * count + column / groupLength;
                    values[column] = groups.Value.Scales[at] * Signed(codes[column]) + groups.Value.Offsets[at];
                }
                values = values[columns..];
            }
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(packed);
            ArrayPool<byte>.Shared.Return(codes);
        }
    }

    private int Signed(byte code) => isSigned && code >> (bits - 1) != 0 ? code - (1 << bits) : code;
}
