using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Packing;

namespace Plimsoll.Checkpoints.Data;

/// <summary>compressed-tensors <c>pack-quantized</c>: w[o, k] = scale[o, g] · (q[o, k] − zero[o, g]), every code stored plus 2^(bits−1).</summary>
/// <remarks>
/// weight_packed (out, ⌈in · bits / 32⌉) one bit stream per row; weight_scale (out, groups); weight_shape (2); with zero points weight_zero_point
/// (⌈out · bits / 32⌉, groups), packed along the outputs; with act-order weight_g_idx (in). Source: compressed-tensors, pack_quantized compressor.
/// </remarks>
internal sealed class PackedIntegerWeight : IntegerWeight
{
    private readonly TensorHeader words;
    private readonly TensorReader reader;
    private readonly int wordsPerRow;
    private readonly Lazy<float[]> scales;
    private readonly Lazy<short[]?> zeros;
    private readonly Lazy<ImmutableArray<int>?> groupOfColumn;

    /// <exception cref="CheckpointFormatException">The tensors do not fit each other.</exception>
    public static PackedIntegerWeight Open(ParameterStorage storage, TensorReader reader)
    {
        var words = storage.Find("weight_packed")!;
        SideTensor.CheckWords(words);
        if (storage.Dimensions is not [var outputs, var inputs] || storage.Bits is not (>= 1 and <= 8 and var bits))
            throw SideTensor.Bad(words, "a configuration that says how many bits a code has", "none");
        if (storage.Find("weight_shape") is { } shape)
        {
            var stated = SideTensor.Floats(reader, shape);
            if (stated is not [var rows, var columns] || rows != outputs || BitStream.WordsFor((long)columns, bits) != words.Dimensions[1])
                throw SideTensor.Bad(shape, $"a shape of {outputs:N0} rows that fill {words.Dimensions[1]:N0} words each", $"[{string.Join(", ", stated)}]");
            inputs = (long)columns;
        }
        var scale = storage.Find("weight_scale")!;
        var groups = scale.Dimensions is [_, var count] ? count : 1;
        if (scale.Elements != 1 && scale.Elements != checked(outputs * groups) || groups < 1)
            throw SideTensor.Bad(scale, $"{outputs:N0} rows of scales, or a single one", $"[{string.Join(", ", scale.Dimensions)}]");
        var length = storage.Scheme?.GroupSize is { } size && (inputs + size - 1) / size == groups ? size : (inputs + groups - 1) / groups;
        return new(storage, [outputs, inputs], bits, length, reader);
    }

    private PackedIntegerWeight(ParameterStorage storage, ImmutableArray<long> dimensions, int bits, long groupLength, TensorReader reader)
        : base(storage, dimensions, bits, groupLength)
    {
        this.reader = reader;
        words = storage.Find("weight_packed")!;
        wordsPerRow = (int)BitStream.WordsFor(RowLength, bits);
        scales = new(() => SideTensor.Floats(reader, storage.Find("weight_scale")!));
        zeros = new(() => storage.Find("weight_zero_point") is { } zero ? ReadZeros(zero) : null);
        groupOfColumn = new(() => storage.Find("weight_g_idx") is { } index ? ReadGroups(index) : null);
    }

    public override ImmutableArray<int>? GroupOfColumn => groupOfColumn.Value;

    public override (int Lowest, int Highest) ZeroPoints => zeros.Value is { } zero ? Range<short>(zero) : (1 << (Bits - 1), 1 << (Bits - 1));

    public override bool HasScalesOf(NumberFormat format) => AreOf(format, scales.Value);

    protected override void Read(long firstRow, int rows, Span<short> integers, Span<float> rowScales)
    {
        var columns = (int)RowLength;
        var packed = ArrayPool<uint>.Shared.Rent(rows * wordsPerRow);
        var codes = ArrayPool<byte>.Shared.Rent(columns);
        try
        {
            reader.Read(words, firstRow * wordsPerRow * sizeof(uint), MemoryMarshal.AsBytes(packed.AsSpan(0, rows * wordsPerRow)));
            for (var row = 0; row < rows; row++)
            {
                BitStream.Unpack(packed.AsSpan(row * wordsPerRow, wordsPerRow), Bits, codes.AsSpan(0, columns));
                Subtract(codes.AsSpan(0, columns), (int)firstRow + row, integers.Slice(row * columns, columns));
            }
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(packed);
            ArrayPool<byte>.Shared.Return(codes);
        }
        if (scales.Value.Length == 1)
            rowScales.Fill(scales.Value[0]);
        else
            scales.Value.AsSpan((int)firstRow * Groups, rows * Groups).CopyTo(rowScales);
    }

    private void Subtract(ReadOnlySpan<byte> codes, int row, Span<short> integers)
    {
        var groups = groupOfColumn.Value;
        for (var column = 0; column < codes.Length; column++)
        {
            var group = groups is { } index ? index[column] : column / GroupLength;
            integers[column] = (short)(codes[column] - (zeros.Value is { } zero ? zero[row * Groups + group] : 1 << (Bits - 1)));
        }
    }

    /// <summary>Zero points as the packed codes count them, (rows, groups).</summary>
    private short[] ReadZeros(TensorHeader tensor)
    {
        var (rows, zero) = ((int)Rows, new short[checked((int)Rows * Groups)]);
        if (tensor.Format == NumberFormats.Int8 && tensor.Elements == zero.Length)
        {
            var plain = SideTensor.Floats(reader, tensor);
            for (var at = 0; at < zero.Length; at++)
                zero[at] = (short)(plain[at] + (1 << (Bits - 1)));
            return zero;
        }
        var packed = SideTensor.Words(reader, tensor);
        var wordsPerGroup = (int)BitStream.WordsFor(rows, Bits);
        if (packed.Length != wordsPerGroup * Groups)
            throw SideTensor.Bad(tensor, $"{wordsPerGroup:N0} × {Groups:N0} words", $"[{string.Join(", ", tensor.Dimensions)}]");
        var (stream, codes) = (new uint[wordsPerGroup], new byte[rows]);
        for (var group = 0; group < Groups; group++)
        {
            for (var word = 0; word < wordsPerGroup; word++)
                stream[word] = packed[word * Groups + group];
            BitStream.Unpack(stream, Bits, codes);
            for (var row = 0; row < rows; row++)
                zero[row * Groups + group] = codes[row];
        }
        return zero;
    }

    private ImmutableArray<int>? ReadGroups(TensorHeader tensor)
    {
        var groups = MemoryMarshal.Cast<uint, int>(SideTensor.Words(reader, tensor)).ToArray();
        // A file without act-order may still carry an index of −1.
        if (groups.AsSpan().IndexOfAnyExcept(-1) < 0)
            return null;
        if (groups.Length != RowLength || groups.AsSpan().ContainsAnyExceptInRange(0, Groups - 1))
            throw SideTensor.Bad(tensor, $"{RowLength:N0} groups from 0 to {Groups - 1}", $"{groups.Length:N0} numbers from {groups.Min()} to {groups.Max()}");
        return [.. groups];
    }
}
