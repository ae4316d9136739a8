using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Linear.Floats;
using Plimsoll.Numerics.Linear.Integers;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear;

/// <summary>Makes packed matrices from stored rows.</summary>
public static class PackedMatrices
{
    /// <summary>Whether weights of this format can be multiplied.</summary>
    public static bool Supports(NumberFormat format) => FloatPanelsOf(format) is not null;

    /// <summary>Reads a matrix, 16 rows at a time, into the layout that the products want; the source is not needed afterwards.</summary>
    /// <param name="format">FP32, FP16, BF16 or a format that <see cref="BlockCodecs"/> knows.</param>
    /// <param name="rows">out_features.</param>
    /// <param name="columns">in_features: a multiple of the block length.</param>
    /// <exception cref="NotSupportedException">No product for this format.</exception>
    /// <exception cref="OutOfMemoryException">The weights do not fit the memory of this machine.</exception>
    public static PackedMatrix Create(NumberFormat format, int rows, int columns, RowReader read) => Create(format, rows, columns, read, SimdLevels.Best);

    /// <summary>Reads a matrix of rows as <see cref="RowFormat"/> lays them out.</summary>
    /// <inheritdoc cref="Create(NumberFormat, int, int, RowReader)"/>
    public static PackedMatrix Create(RowFormat format, int rows, int columns, RowReader read) => Create(format, rows, columns, read, SimdLevels.Best);

    internal static PackedMatrix Create(RowFormat format, int rows, int columns, RowReader read, SimdLevel level)
    {
        Check(format.Block, rows, columns);
        return format.Load(rows, columns, read, level);
    }

    internal static PackedMatrix Create(NumberFormat format, int rows, int columns, RowReader read, SimdLevel level)
    {
        Check(format, rows, columns);
        if (IntegerPanelFormats.Find(format) is { } integers)
            return new IntegerPanelMatrix(integers, rows, columns, read, level);
        var panels = FloatPanelsOf(format) ?? throw new NotSupportedException($"no product for weights in {format}");
        return new FloatPanelMatrix(panels, rows, columns, read, level);
    }

    private static void Check(NumberFormat format, int rows, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        if (columns % format.BlockLength != 0)
            throw new ArgumentException($"a row of {format} has a multiple of {format.BlockLength} columns, not {columns}", nameof(columns));
    }

    private static FloatPanels? FloatPanelsOf(NumberFormat format)
    {
        if (format == NumberFormats.Fp32)
            return new Fp32Panels();
        if (format == NumberFormats.Fp16)
            return new Fp16Panels();
        if (format == NumberFormats.Bf16)
            return new Bf16Panels();
        return BlockCodecs.Find(format) is { } codec && Panel.ChunkColumns % format.BlockLength == 0 ? new CodecPanels(codec) : null;
    }
}
