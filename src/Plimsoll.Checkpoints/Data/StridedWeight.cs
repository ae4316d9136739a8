using System.Buffers;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Checkpoints.Data;

/// <summary>A view of PyTorch whose elements are not in row-major order: a transposed weight, a broadcast one, a slice.</summary>
internal sealed class StridedWeight(ParameterStorage storage, TensorHeader tensor, ImmutableArray<long> strides, TensorReader reader) : StoredWeight(storage, tensor.Dimensions)
{
    /// <summary>Bytes between the first and the last element of a row up to which the row is read as one stretch and picked from.</summary>
    private const long MaxStretchBytes = 1 << 20;

    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        if (Dimensions.Length == 2 && strides[0] == 1)
        {
            ReadColumns(firstRow, values);
            return;
        }
        for (var row = firstRow; !values.IsEmpty; row++)
        {
            ReadRow(StartOf(row), strides.IsEmpty ? 1 : strides[^1], values[..(int)RowLength]);
            values = values[(int)RowLength..];
        }
    }

    /// <summary>Of a transposed matrix the elements of a column lie together.</summary>
    private void ReadColumns(long firstRow, Span<float> values)
    {
        var (rows, columns) = ((int)(values.Length / RowLength), (int)RowLength);
        var bytes = ArrayPool<byte>.Shared.Rent(rows * tensor.Format.BlockBytes);
        var column = ArrayPool<float>.Shared.Rent(rows);
        try
        {
            var stretch = bytes.AsSpan(0, rows * tensor.Format.BlockBytes);
            for (var at = 0; at < columns; at++)
            {
                reader.Read(tensor, (firstRow + at * strides[1]) * tensor.Format.BlockBytes, stretch);
                ElementCodec.Decode(tensor.Format, stretch, column.AsSpan(0, rows));
                for (var row = 0; row < rows; row++)
                    values[row * columns + at] = column[row];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            ArrayPool<float>.Shared.Return(column);
        }
    }

    /// <summary>The element at which a row begins, counted from the first of the view.</summary>
    private long StartOf(long row)
    {
        var start = 0L;
        for (var dimension = Dimensions.Length - 2; dimension >= 0; dimension--)
        {
            (row, var index) = Math.DivRem(row, Dimensions[dimension]);
            start += index * strides[dimension];
        }
        return start;
    }

    private void ReadRow(long start, long stride, Span<float> values)
    {
        var size = tensor.Format.BlockBytes;
        var perStretch = stride == 0 ? values.Length : (int)Math.Clamp(MaxStretchBytes / size / stride, 1, values.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(checked((int)(((perStretch - 1) * stride + 1) * size)));
        try
        {
            for (var at = 0; at < values.Length; at += perStretch)
            {
                var count = Math.Min(perStretch, values.Length - at);
                var bytes = buffer.AsSpan(0, (int)(((count - 1) * stride + 1) * size));
                reader.Read(tensor, (start + at * stride) * size, bytes);
                // To the front one after the other, never ahead of what is still to be moved; a stride of 0 repeats one element.
                for (var index = 1; stride > 0 && index < count; index++)
                    bytes.Slice((int)(index * stride * size), size).CopyTo(bytes[(index * size)..]);
                var distinct = stride == 0 ? 1 : count;
                ElementCodec.Decode(tensor.Format, bytes[..(distinct * size)], values.Slice(at, distinct));
                if (stride == 0)
                    values.Slice(at + 1, count - 1).Fill(values[at]);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
