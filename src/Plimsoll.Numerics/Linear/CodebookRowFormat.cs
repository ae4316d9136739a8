using System.Buffers.Binary;
using System.Collections.Immutable;
using Plimsoll.Numerics.Linear.Floats;
using Plimsoll.Numerics.Linear.Simd;
using Plimsoll.Numerics.Packing;

namespace Plimsoll.Numerics.Linear;

/// <summary>The scales of blocks, themselves quantized: absmax = map[code] · nested absmax + offset (bitsandbytes' double quantization).</summary>
/// <param name="Map">256 values.</param>
public sealed record NestedScales(ImmutableArray<float> Map, float Offset);

/// <summary>Places in a table of 16 values, with a scale per block: value = table[code] · absmax. NF4 and FP4 of bitsandbytes.</summary>
/// <remarks>
/// A block is absmax in FP32 and nibbles, the first low. Where scales are nested, it has 256 columns: the nested absmax in FP32, a code for each
/// <see cref="ScaledLength"/> columns, nibbles.
/// </remarks>
public sealed record CodebookRowFormat : RowFormat
{
    private CodebookRowFormat(ImmutableArray<float> table, int scaledLength, NestedScales? nested) => (Table, ScaledLength, Nested) = (table, scaledLength, nested);

    /// <summary>The 16 values.</summary>
    public ImmutableArray<float> Table { get; }

    /// <summary>Columns that share an absmax.</summary>
    public int ScaledLength { get; }

    public NestedScales? Nested { get; }

    public override int BlockLength => Nested is null ? ScaledLength : Panel.ChunkColumns;

    internal override int HeaderBytes => sizeof(float) + (Nested is null ? 0 : ScalesPerBlock);

    internal override int CodeBits => 4;

    private int ScalesPerBlock => BlockLength / ScaledLength;

    /// <summary>The format of such rows; null where no product takes them: blocks of the file must lie in rows.</summary>
    /// <param name="blockLength">Weights that share an absmax, counted over the flat matrix.</param>
    public static CodebookRowFormat? Find(ImmutableArray<float> table, int blockLength, long columns, NestedScales? nested) =>
        columns % blockLength == 0 && BlockOf(blockLength, columns) is { } block && (nested is null || block == blockLength && columns % Panel.ChunkColumns == 0)
            ? new(table, block, nested)
            : null;

    /// <summary>Writes one row of plain scales.</summary>
    /// <param name="absmax">One for each <paramref name="blockLength"/> columns, a multiple of <see cref="ScaledLength"/>.</param>
    public void Write(ReadOnlySpan<byte> codes, ReadOnlySpan<float> absmax, int blockLength, Span<byte> row)
    {
        for (var first = 0; first < codes.Length; first += BlockLength, row = row[BlockBytes..])
        {
            BinaryPrimitives.WriteSingleLittleEndian(row, absmax[first / blockLength]);
            Nibbles.PackLowFirst(codes.Slice(first, BlockLength), row[HeaderBytes..BlockBytes]);
        }
    }

    /// <summary>Writes one row of nested scales.</summary>
    /// <param name="scaleCodes">One for each <see cref="ScaledLength"/> columns.</param>
    /// <param name="nestedAbsmax">One for each 256 columns.</param>
    public void Write(ReadOnlySpan<byte> codes, ReadOnlySpan<byte> scaleCodes, ReadOnlySpan<float> nestedAbsmax, Span<byte> row)
    {
        for (var block = 0; block < codes.Length / BlockLength; block++, row = row[BlockBytes..])
        {
            BinaryPrimitives.WriteSingleLittleEndian(row, nestedAbsmax[block]);
            scaleCodes.Slice(block * ScalesPerBlock, ScalesPerBlock).CopyTo(row[sizeof(float)..]);
            Nibbles.PackLowFirst(codes.Slice(block * BlockLength, BlockLength), row[HeaderBytes..BlockBytes]);
        }
    }

    internal override PackedMatrix Load(int rows, int columns, RowReader read, SimdLevel level) => new FloatPanelMatrix(new CodebookRowPanels(this), rows, columns, read, level);
}
