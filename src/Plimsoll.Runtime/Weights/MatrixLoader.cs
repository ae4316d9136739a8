using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Weights;

/// <summary>From stored weights to matrices that can be multiplied, at their packed size.</summary>
internal static class MatrixLoader
{
    /// <param name="order">Which stored row each row is; null for the same order.</param>
    public static PackedMatrix Load(WeightReader reader, StoredWeight weight, int[]? order = null) => Load(reader, weight, 0, checked((int)weight.Rows), order);

    /// <summary>(count, rows, columns) as <paramref name="count"/> matrices.</summary>
    public static IEnumerable<PackedMatrix> LoadStack(WeightReader reader, StoredWeight stack, int count)
    {
        var rows = checked((int)(stack.Rows / count));
        for (var index = 0; index < count; index++)
            yield return Load(reader, stack, (long)index * rows, rows, order: null);
    }

    /// <summary>Stored as (inputs, outputs).</summary>
    public static PackedMatrix LoadTransposed(WeightReader reader, StoredWeight weight)
    {
        var tensor = PackedTensor(weight) is { Format.BlockLength: 1 } plain ? plain
            : throw new CheckpointFormatException(weight.Storage.Main.File, null, $"the transposed parameter '{weight.Name}' in FP32, FP16 or BF16", weight.Storage.TypeName);
        var (rows, columns, size) = (checked((int)weight.RowLength), checked((int)weight.Rows), tensor.Format.BlockBytes);
        var stored = new byte[tensor.Bytes];
        reader.Tensors.Read(tensor, 0, stored);
        return PackedMatrices.Create(tensor.Format, rows, columns, (firstRow, bytes) =>
        {
            for (var at = 0; at < bytes.Length; at += size)
            {
                var (row, column) = (firstRow + at / size / columns, at / size % columns);
                stored.AsSpan((column * rows + row) * size, size).CopyTo(bytes[at..]);
            }
        });
    }

    private static PackedMatrix Load(WeightReader reader, StoredWeight weight, long firstRow, int rows, int[]? order)
    {
        if (PackedTensor(weight) is not { } tensor)
            return PackedLayouts.TryLoad(weight, firstRow, rows, order) ?? new StoredMatrix(weight, firstRow, rows, order);
        var matrix = Pack(reader, tensor, firstRow, rows, checked((int)weight.RowLength), order);
        return weight is ScaledBlockWeight scaled ? new ScaledMatrix(matrix, scaled.Factor(firstRow)) : matrix;
    }

    /// <summary>The tensor that holds the weight in a format with products of its own; null for other layouts.</summary>
    private static TensorHeader? PackedTensor(StoredWeight weight) =>
        weight.Storage is { Layout: StorageLayout.Plain, Main: { Strides: null } tensor } && PackedMatrices.Supports(tensor.Format) ? tensor : null;

    private static PackedMatrix Pack(WeightReader reader, TensorHeader tensor, long firstRow, int rows, int columns, int[]? order)
    {
        var rowBytes = tensor.Format.BytesFor(columns);
        return PackedMatrices.Create(tensor.Format, rows, columns, (row, bytes) =>
        {
            if (order is null)
            {
                reader.Tensors.Read(tensor, (firstRow + row) * rowBytes, bytes);
                return;
            }
            for (var at = 0; at < bytes.Length; at += (int)rowBytes)
                reader.Tensors.Read(tensor, order[row + at / (int)rowBytes] * rowBytes, bytes.Slice(at, (int)rowBytes));
        });
    }
}
