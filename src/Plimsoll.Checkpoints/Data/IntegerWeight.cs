using System.Buffers;
using System.Collections.Immutable;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Checkpoints.Data;

/// <summary>Weights that are integers times a scale: w[row, column] = scale[row, group of the column] · n[row, column].</summary>
/// <remarks>What GPTQ, AWQ, compressed-tensors, LLM.int8() and other integer layouts have in common, and what moves between them without loss.</remarks>
public abstract class IntegerWeight : StoredWeight
{
    /// <param name="groupLength">Columns that share a scale; the row's length for one scale per row.</param>
    /// <exception cref="CheckpointFormatException">A row is longer than an array can be.</exception>
    protected IntegerWeight(ParameterStorage storage, ImmutableArray<long> dimensions, int bits, long groupLength) : base(storage, dimensions)
    {
        if (RowLength > Array.MaxLength || groupLength < 1)
            throw SideTensor.Bad(storage.Main, "rows of a length that fits memory", $"{RowLength:N0} columns in groups of {groupLength:N0}");
        Bits = bits;
        GroupLength = (int)Math.Min(groupLength, Math.Max(1, RowLength));
        Groups = (int)((RowLength + GroupLength - 1) / GroupLength);
    }

    /// <summary>Bits of a code.</summary>
    public int Bits { get; }

    /// <summary>Columns that share a scale.</summary>
    public int GroupLength { get; }

    /// <summary>Scales of a row.</summary>
    public int Groups { get; protected init; }

    /// <summary>The group of each column where that is not column / <see cref="GroupLength"/> (act-order); null where it is.</summary>
    public virtual ImmutableArray<int>? GroupOfColumn => null;

    /// <summary>The smallest and largest zero point, as codes count from 0 to 2^bits − 1; signed codes count from 0 at their smallest.</summary>
    public abstract (int Lowest, int Highest) ZeroPoints { get; }

    /// <summary>Whether every zero point is the middle code, 2^(bits−1).</summary>
    public bool IsSymmetric => ZeroPoints == (1 << (Bits - 1), 1 << (Bits - 1));

    /// <summary>Whether every scale is a number of the format, so that it can be stored so without loss.</summary>
    public abstract bool HasScalesOf(NumberFormat format);

    /// <summary>The integers of rows [<paramref name="firstRow"/>, …), their zero points subtracted, and the scales of their groups.</summary>
    /// <param name="integers">(rows, columns).</param>
    /// <param name="scales">(rows, groups).</param>
    /// <exception cref="ArgumentException">The range leaves the parameter, or the lengths do not fit each other.</exception>
    /// <exception cref="CheckpointFormatException">The stored bytes contradict the layout.</exception>
    public void ReadIntegers(long firstRow, Span<short> integers, Span<float> scales)
    {
        var rows = RowLength == 0 ? 0 : (int)(integers.Length / RowLength);
        if (integers.Length != rows * RowLength || scales.Length != (long)rows * Groups || firstRow < 0 || firstRow > Rows - rows)
            throw new ArgumentException($"{integers.Length} integers and {scales.Length} scales from row {firstRow} on are no rows of '{Name}'", nameof(integers));
        Read(firstRow, rows, integers, scales);
    }

    /// <summary>Reads rows that have been checked to be there.</summary>
    protected abstract void Read(long firstRow, int rows, Span<short> integers, Span<float> scales);

    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        var (columns, rows) = ((int)RowLength, (int)(values.Length / RowLength));
        var integers = ArrayPool<short>.Shared.Rent(values.Length);
        var scales = ArrayPool<float>.Shared.Rent(rows * Groups);
        try
        {
            Read(firstRow, rows, integers.AsSpan(0, values.Length), scales.AsSpan(0, rows * Groups));
            for (var row = 0; row < rows; row++)
                Multiply(integers.AsSpan(row * columns, columns), scales.AsSpan(row * Groups, Groups), values.Slice(row * columns, columns));
        }
        finally
        {
            ArrayPool<short>.Shared.Return(integers);
            ArrayPool<float>.Shared.Return(scales);
        }
    }

    /// <summary>Whether each of some scales survives being stored in a format.</summary>
    protected static bool AreOf(NumberFormat format, ReadOnlySpan<float> scales)
    {
        Span<byte> code = stackalloc byte[format.BlockBytes];
        Span<float> stored = stackalloc float[1];
        foreach (var scale in scales)
        {
            ElementCodec.Encode(format, [scale], code);
            ElementCodec.Decode(format, code, stored);
            if (stored[0] != scale)
                return false;
        }
        return true;
    }

    /// <summary>The smallest and the largest of some zero points.</summary>
    protected static (int Lowest, int Highest) Range<T>(ReadOnlySpan<T> zeros) where T : System.Numerics.IBinaryInteger<T>
    {
        var (lowest, highest) = (int.MaxValue, int.MinValue);
        foreach (var zero in zeros)
            (lowest, highest) = (Math.Min(lowest, int.CreateChecked(zero)), Math.Max(highest, int.CreateChecked(zero)));
        return (lowest, highest);
    }

    private void Multiply(ReadOnlySpan<short> integers, ReadOnlySpan<float> scales, Span<float> values)
    {
        if (GroupOfColumn is { } groups)
        {
            for (var column = 0; column < integers.Length; column++)
                values[column] = scales[groups[column]] * integers[column];
            return;
        }
        for (var (group, first) = (0, 0); first < integers.Length; group++, first += GroupLength)
        {
            var scale = scales[group];
            var end = Math.Min(integers.Length, first + GroupLength);
            for (var column = first; column < end; column++)
                values[column] = scale * integers[column];
        }
    }
}
