using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Linear;
using Plimsoll.Numerics.Quantizers;

namespace Plimsoll.Runtime.Weights;

/// <summary>From the layouts of Hugging Face, whose codes and scales lie in several tensors, to matrices at their packed size.</summary>
internal static class PackedLayouts
{
    /// <summary>Rows of a weight as a matrix; null for a layout, or sizes, without a product: groups of fewer than 32 columns, codes of 5 bits.</summary>
    /// <param name="order">Which row of the weight each row of the matrix is; null for the same order.</param>
    public static PackedMatrix? TryLoad(StoredWeight weight, long firstRow, int rows, int[]? order) => weight switch
    {
        IntegerWeight integers => Integers(integers, firstRow, rows, order),
        BitsAndBytesWeight codebook => Codebook(codebook, firstRow, rows, order),
        ScaledWeight scaled => Fp8(scaled, firstRow, rows, order),
        Fp4Weight fp4 => Fp4(fp4, firstRow, rows, order),
        _ => null,
    };

    private static PackedMatrix? Integers(IntegerWeight weight, long firstRow, int rows, int[]? order)
    {
        var columns = (int)weight.RowLength;
        var (isSorted, sorted) = ColumnsByGroup(weight);
        if (!isSorted || IntegerRowFormat.Find(weight.Bits, weight.GroupLength, columns, ScaleFormat(weight), weight.IsSymmetric) is not { } format)
            return null;
        if (weight.Storage.Scheme?.OutlierThreshold is > 0 and var threshold)
            format = format with { OutlierThreshold = (float)threshold };
        var band = new IntegerBand(weight, firstRow, rows, order is null);
        var ordered = new short[columns];
        var matrix = PackedMatrices.Create(format, rows, columns, EachRow(format, columns, order, (row, bytes) =>
        {
            var integers = band.Read(row, out var scales);
            if (sorted is not null)
            {
                for (var column = 0; column < columns; column++)
                    ordered[column] = integers[sorted[column]];
            }
            format.Write(sorted is null ? integers : ordered, scales, weight.GroupLength, bytes);
        }));
        return sorted is null ? matrix : new ReorderedMatrix(matrix, sorted);
    }

    private static PackedMatrix? Codebook(BitsAndBytesWeight weight, long firstRow, int rows, int[]? order)
    {
        var (columns, block) = ((int)weight.RowLength, weight.BlockLength);
        var nested = weight.Nested is { } scales ? new NestedScales([.. scales.Map], scales.Offset) : null;
        if (CodebookRowFormat.Find([.. weight.Table], block, columns, nested) is not { } format)
            return null;
        var codes = new byte[columns];
        var nestedAbsmax = new float[columns / format.BlockLength];
        return PackedMatrices.Create(format, rows, columns, EachRow(format, columns, order, (row, bytes) =>
        {
            weight.ReadCodes(firstRow + row, codes);
            var (first, count) = ((int)((firstRow + row) * columns / block), columns / block);
            if (weight.Nested is not { } quantized)
            {
                format.Write(codes, weight.Absmax.Slice(first, count), block, bytes);
                return;
            }
            for (var at = 0; at < nestedAbsmax.Length; at++)
                nestedAbsmax[at] = quantized.Absmax[(first + at * format.BlockLength / block) / DoubleQuantizer.BlockLength];
            format.Write(codes, quantized.Codes.AsSpan(first, count), nestedAbsmax, bytes);
        }));
    }

    private static PackedMatrix? Fp8(ScaledWeight weight, long firstRow, int rows, int[]? order)
    {
        var columns = (int)weight.RowLength;
        if (weight.CodeFormat != NumberFormats.Fp8E4M3 || Fp8RowFormat.Find(weight.GroupLength, columns) is not { } format)
            return null;
        var (codes, scales) = (new byte[columns], new float[(columns + weight.GroupLength - 1) / weight.GroupLength]);
        return PackedMatrices.Create(format, rows, columns, EachRow(format, columns, order, (row, bytes) =>
        {
            weight.ReadCodes(firstRow + row, codes, scales);
            format.Write(codes, scales, weight.GroupLength, bytes);
        }));
    }

    /// <summary>The blocks of ggml hold the same codes and scales; they pair an element with one half a scale's length behind it, and those of NVFP4 hold four scales.</summary>
    private static PackedMatrix? Fp4(Fp4Weight weight, long firstRow, int rows, int[]? order)
    {
        var (columns, half) = ((int)weight.RowLength, weight.BlockLength / 2);
        var format = weight.IsNvfp4 ? NumberFormats.Find("NVFP4_GGML")! : NumberFormats.Mxfp4;
        if (columns % format.BlockLength != 0)
            return null;
        var scalesPerBlock = format.BlockLength / weight.BlockLength;
        var (codes, scales) = (new byte[columns], new byte[columns / weight.BlockLength]);
        var matrix = PackedMatrices.Create(format, rows, columns, EachRow((int)format.BytesFor(columns), order, (row, bytes) =>
        {
            weight.ReadCodes(firstRow + row, codes, scales);
            for (var at = 0; at < scales.Length; at++)
            {
                var (block, inside) = Math.DivRem(at, scalesPerBlock);
                var target = bytes.Slice(block * format.BlockBytes, format.BlockBytes);
                target[inside] = scales[at];
                for (var k = 0; k < half; k++)
                    target[scalesPerBlock + inside * half + k] = (byte)(codes[at * weight.BlockLength + k] | codes[at * weight.BlockLength + half + k] << 4);
            }
        }));
        return weight.IsNvfp4 ? new ScaledMatrix(matrix, weight.TensorScale(firstRow)) : matrix;
    }

    private delegate void RowWriter(int row, Span<byte> bytes);

    private static RowReader EachRow(RowFormat format, int columns, int[]? order, RowWriter write) => EachRow((int)format.RowBytes(columns), order, write);

    private static RowReader EachRow(int rowBytes, int[]? order, RowWriter write) => (first, bytes) =>
    {
        for (var row = first; !bytes.IsEmpty; row++, bytes = bytes[rowBytes..])
            write(order is null ? row : order[row], bytes[..rowBytes]);
    };

    /// <summary>The smallest format that holds every scale.</summary>
    private static NumberFormat ScaleFormat(IntegerWeight weight) =>
        weight.HasScalesOf(NumberFormats.Fp16) ? NumberFormats.Fp16 : weight.HasScalesOf(NumberFormats.Bf16) ? NumberFormats.Bf16 : NumberFormats.Fp32;

    /// <summary>With act-order, the columns in the order of their groups, when the groups are of one length.</summary>
    /// <returns>Whether groups follow each other then, and that order; null where columns lie so already.</returns>
    private static (bool IsSorted, int[]? Order) ColumnsByGroup(IntegerWeight weight)
    {
        if (weight.GroupOfColumn is not { } groups)
            return (true, null);
        var order = Enumerable.Range(0, groups.Length).OrderBy(column => groups[column]).ToArray();
        return (Enumerable.Range(0, order.Length).All(at => groups[order[at]] == at / weight.GroupLength), order);
    }
}
