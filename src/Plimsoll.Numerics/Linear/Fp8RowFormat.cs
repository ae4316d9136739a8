using System.Buffers.Binary;
using Plimsoll.Numerics.Linear.Floats;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear;

/// <summary>FP8 (E4M3) codes times a scale: value = scale · code.</summary>
/// <remarks>A block is the scale in FP32 and one byte per column.</remarks>
public sealed record Fp8RowFormat : RowFormat
{
    private Fp8RowFormat(int blockLength) => BlockLength = blockLength;

    public override int BlockLength { get; }

    internal override int HeaderBytes => sizeof(float);

    internal override int CodeBits => 8;

    /// <summary>The format of such rows; null where no product takes them.</summary>
    /// <param name="groupLength">Columns that share a scale; at least <paramref name="columns"/> for one scale per row.</param>
    public static Fp8RowFormat? Find(long groupLength, long columns) => BlockOf(groupLength, columns) is { } block ? new(block) : null;

    /// <summary>Writes one row.</summary>
    /// <param name="scales">One for each <paramref name="groupLength"/> columns.</param>
    public void Write(ReadOnlySpan<byte> codes, ReadOnlySpan<float> scales, int groupLength, Span<byte> row)
    {
        for (var first = 0; first < codes.Length; first += BlockLength, row = row[BlockBytes..])
        {
            BinaryPrimitives.WriteSingleLittleEndian(row, scales[first / groupLength]);
            codes.Slice(first, BlockLength).CopyTo(row[HeaderBytes..]);
        }
    }

    internal override PackedMatrix Load(int rows, int columns, RowReader read, SimdLevel level) => new FloatPanelMatrix(new Fp8RowPanels(this), rows, columns, read, level);
}
