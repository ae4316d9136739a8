using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Packing;

namespace Plimsoll.Checkpoints.Data;

/// <summary>GPTQ: w[o, k] = scale[g, o] · (q[k, o] − zero[g, o]), where g = g_idx[k].</summary>
/// <remarks>
/// qweight (in · bits / 32, out) packed along the inputs, qzeros (groups, out · bits / 32) along the outputs, scales (groups, out), g_idx (in).
/// Source: AutoGPTQ and GPTQModel packers. Version 1 stores zero − 1. Symmetric files have one zero point everywhere, 2^(bits−1), which tells the version
/// whatever the label says: files with the wrong label exist (vLLM pull request 38966).
/// </remarks>
internal sealed class GptqWeight : IntegerWeight
{
    private readonly PackedColumns words;
    private readonly TensorReader reader;
    private readonly int outputs;
    private readonly int wordsPerRow;
    private readonly Lazy<float[]> scales;
    private readonly Lazy<byte[]> zeros;
    private readonly Lazy<ImmutableArray<int>?> groupOfColumn;

    /// <param name="isVersion2">Whether the configuration says that zero points are stored as they are.</param>
    /// <exception cref="CheckpointFormatException">The tensors are not of the types of the layout.</exception>
    public GptqWeight(ParameterStorage storage, bool isVersion2, TensorReader reader)
        : base(storage, storage.Dimensions!.Value, storage.Bits!.Value, GroupLengthOf(storage))
    {
        this.reader = reader;
        var packed = storage.Find("qweight")!;
        SideTensor.CheckWords(packed);
        words = new(reader, packed);
        outputs = checked((int)Rows);
        wordsPerRow = (int)packed.Dimensions[0];
        Groups = checked((int)storage.Find("scales")!.Dimensions[0]);
        scales = new(() => SideTensor.Floats(reader, storage.Find("scales")!));
        zeros = new(() => ReadZeros(storage.Find("qzeros")!, isVersion2));
        groupOfColumn = new(() => storage.Find("g_idx") is { } index ? ReadGroups(index) : null);
    }

    public override ImmutableArray<int>? GroupOfColumn => groupOfColumn.Value;

    public override (int Lowest, int Highest) ZeroPoints => Range<byte>(zeros.Value);

    public override bool HasScalesOf(NumberFormat format) => AreOf(format, scales.Value);

    protected override void Read(long firstRow, int rows, Span<short> integers, Span<float> rowScales)
    {
        var columns = (int)RowLength;
        var band = ArrayPool<uint>.Shared.Rent(wordsPerRow * rows);
        var packed = ArrayPool<uint>.Shared.Rent(wordsPerRow);
        var codes = ArrayPool<byte>.Shared.Rent(columns);
        try
        {
            words.Read((int)firstRow, rows, band.AsSpan(0, wordsPerRow * rows));
            for (var row = 0; row < rows; row++)
            {
                for (var word = 0; word < wordsPerRow; word++)
                    packed[word] = band[word * rows + row];
                BitStream.Unpack(packed.AsSpan(0, wordsPerRow), Bits, codes.AsSpan(0, columns));
                Subtract(codes.AsSpan(0, columns), (int)firstRow + row, integers.Slice(row * columns, columns));
                for (var group = 0; group < Groups; group++)
                    rowScales[row * Groups + group] = scales.Value[group * outputs + firstRow + row];
            }
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(band);
            ArrayPool<uint>.Shared.Return(packed);
            ArrayPool<byte>.Shared.Return(codes);
        }
    }

    private void Subtract(ReadOnlySpan<byte> codes, int row, Span<short> integers)
    {
        var zero = zeros.Value;
        if (groupOfColumn.Value is { } groups)
        {
            for (var column = 0; column < codes.Length; column++)
                integers[column] = (short)(codes[column] - zero[groups[column] * outputs + row]);
            return;
        }
        for (var (group, first) = (0, 0); first < codes.Length; group++, first += GroupLength)
        {
            var shift = zero[group * outputs + row];
            for (var column = first; column < Math.Min(codes.Length, first + GroupLength); column++)
                integers[column] = (short)(codes[column] - shift);
        }
    }

    private byte[] ReadZeros(TensorHeader tensor, bool isVersion2)
    {
        var packed = SideTensor.Words(reader, tensor);
        var (codes, mask, middle) = (new byte[checked(Groups * outputs)], (1 << Bits) - 1, 1 << (Bits - 1));
        var wordsPerGroup = (int)BitStream.WordsFor(outputs, Bits);
        for (var group = 0; group < Groups; group++)
            BitStream.Unpack(packed.AsSpan(group * wordsPerGroup, wordsPerGroup), Bits, codes.AsSpan(group * outputs, outputs));
        var isShifted = codes.AsSpan().ContainsAnyExcept((byte)middle) && (!isVersion2 || !codes.AsSpan().ContainsAnyExcept((byte)(middle - 1)));
        if (isShifted)
        {
            for (var at = 0; at < codes.Length; at++)
                codes[at] = (byte)(codes[at] + 1 & mask);
        }
        return codes;
    }

    /// <summary>Null where the groups follow each other as they do without act-order.</summary>
    private ImmutableArray<int>? ReadGroups(TensorHeader tensor)
    {
        var groups = MemoryMarshal.Cast<uint, int>(SideTensor.Words(reader, tensor)).ToArray();
        var inOrder = true;
        for (var column = 0; column < groups.Length; column++)
        {
            if ((uint)groups[column] >= Groups)
                throw SideTensor.Bad(tensor, $"groups from 0 to {Groups - 1}", $"{groups[column]} for column {column}");
            inOrder &= groups[column] == column / GroupLength;
        }
        return inOrder ? null : [.. groups];
    }

    private static long GroupLengthOf(ParameterStorage storage)
    {
        var (columns, groups) = (storage.Dimensions!.Value[^1], storage.Find("scales")!.Dimensions[0]);
        return groups < 1 ? 0
            : storage.Scheme?.GroupSize is { } size && (columns + size - 1) / size == groups ? size
            : (columns + groups - 1) / groups;
    }
}
