using System.Runtime.InteropServices;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Linear.Integers;
using Plimsoll.Numerics.Linear.Simd;
using Plimsoll.Numerics.Packing;

namespace Plimsoll.Numerics.Linear;

/// <summary>Integers that share a scale: value = scale · (code − zero). What GPTQ, AWQ, compressed-tensors and LLM.int8() have in common.</summary>
/// <remarks>A block is the scale, the zero point in a byte where there is one, and the codes as one bit stream (<see cref="BitStream"/>).</remarks>
public sealed record IntegerRowFormat : RowFormat
{
    private IntegerRowFormat(int bits, int blockLength, NumberFormat scale, bool hasZeros) => (Bits, BlockLength, Scale, HasZeros) = (bits, blockLength, scale, hasZeros);

    public override int BlockLength { get; }

    public int Bits { get; }

    /// <summary>FP16, BF16 or FP32.</summary>
    public NumberFormat Scale { get; }

    /// <summary>Whether blocks have zero points of their own; else zero is the middle code.</summary>
    public bool HasZeros { get; }

    /// <summary>Inputs of this magnitude and more keep their columns from being rounded (LLM.int8()); null rounds all.</summary>
    public float? OutlierThreshold { get; init; }

    internal override int HeaderBytes => Scale.BlockBytes + (HasZeros ? 1 : 0);

    internal override int CodeBits => Bits;

    /// <summary>The format of such rows; null where no product takes them.</summary>
    /// <param name="groupLength">Columns that share a scale; at least <paramref name="columns"/> for one scale per row.</param>
    /// <param name="scale">The format that holds every scale without loss: FP16, BF16 or FP32.</param>
    /// <param name="isSymmetric">Whether every zero point is the middle code.</param>
    public static IntegerRowFormat? Find(int bits, long groupLength, long columns, NumberFormat scale, bool isSymmetric) =>
        bits is 2 or 3 or 4 or 8 && BlockOf(groupLength, columns) is { } block ? new(bits, block, scale, !isSymmetric || bits < 4) : null;

    /// <summary>Writes one row.</summary>
    /// <param name="integers">(columns), zero points subtracted: any 2^bits numbers in succession within a block, or those of two's complement without zero points.</param>
    /// <param name="scales">One for each <paramref name="groupLength"/> columns.</param>
    /// <param name="row">Of <see cref="RowFormat.RowBytes"/>.</param>
    public void Write(ReadOnlySpan<short> integers, ReadOnlySpan<float> scales, int groupLength, Span<byte> row)
    {
        Span<byte> codes = stackalloc byte[BlockLength];
        var (header, bytes) = (HeaderBytes, BlockBytes);
        for (var first = 0; first < integers.Length; first += BlockLength, row = row[bytes..])
        {
            var block = integers.Slice(first, BlockLength);
            ElementCodec.Encode(Scale, scales.Slice(first / groupLength, 1), row[..Scale.BlockBytes]);
            var zero = HasZeros ? -Math.Min((short)0, Lowest(block)) : 1 << (Bits - 1);
            if (HasZeros)
                row[Scale.BlockBytes] = (byte)zero;
            // Codes of eight bits are multiplied as signed bytes.
            var shift = Bits == 8 ? zero - 128 : zero;
            for (var at = 0; at < codes.Length; at++)
                codes[at] = (byte)(block[at] + shift);
            BitStream.Pack(codes, Bits, MemoryMarshal.Cast<byte, uint>(row[header..bytes]));
        }
    }

    internal override PackedMatrix Load(int rows, int columns, RowReader read, SimdLevel level)
    {
        IntegerPanels panels = (Bits, HasZeros) switch
        {
            (2, _) => new IntegerRowPanels<TwoBitsAffine>(this),
            (3, _) => new IntegerRowPanels<ThreeBitsAffine>(this),
            (4, false) => new IntegerRowPanels<FourBitsAround8>(this),
            (4, true) => new IntegerRowPanels<FourBitsBy32>(this),
            (_, false) => new IntegerRowPanels<BytesBy32>(this),
            (_, true) => new IntegerRowPanels<BytesAffine>(this),
        };
        var matrix = new IntegerPanelMatrix(panels, rows, columns, read, level);
        return OutlierThreshold is { } threshold ? new OutlierMatrix(matrix, threshold) : matrix;
    }

    private static short Lowest(ReadOnlySpan<short> integers)
    {
        var lowest = short.MaxValue;
        foreach (var integer in integers)
            lowest = Math.Min(lowest, integer);
        return lowest;
    }
}
