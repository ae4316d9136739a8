using System.Buffers;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Packing;

namespace Plimsoll.Checkpoints.Data;

/// <summary>AWQ, <c>gemm</c> layout: w[o, k] = scale[k / g, o] · (q[k, o] − zero[k / g, o]).</summary>
/// <remarks>qweight (in, out / 8) and qzeros (groups, out / 8) of <see cref="AwqWord"/>s, scales (groups, out). Source: AutoAWQ, WQLinear_GEMM.</remarks>
internal sealed class AwqWeight : IntegerWeight
{
    private readonly PackedColumns words;
    private readonly int outputs;
    private readonly Lazy<float[]> scales;
    private readonly Lazy<byte[]> zeros;

    /// <exception cref="CheckpointFormatException">The tensors are not of the types of the layout, or the inputs are no whole number of groups.</exception>
    public AwqWeight(ParameterStorage storage, TensorReader reader)
        : base(storage, storage.Dimensions!.Value, 4, storage.Dimensions.Value[^1] / Math.Max(1, storage.Find("scales")!.Dimensions[0]))
    {
        var packed = storage.Find("qweight")!;
        SideTensor.CheckWords(packed);
        words = new(reader, packed);
        outputs = checked((int)Rows);
        var stored = storage.Find("scales")!;
        if (stored.Dimensions[0] != Groups || RowLength % GroupLength != 0)
            throw SideTensor.Bad(stored, $"a divisor of the {RowLength:N0} inputs as number of groups", $"{stored.Dimensions[0]:N0}");
        scales = new(() => SideTensor.Floats(reader, stored));
        zeros = new(() => Unpack(SideTensor.Words(reader, storage.Find("qzeros")!)));
    }

    public override (int Lowest, int Highest) ZeroPoints => Range<byte>(zeros.Value);

    public override bool HasScalesOf(NumberFormat format) => AreOf(format, scales.Value);

    protected override void Read(long firstRow, int rows, Span<short> integers, Span<float> rowScales)
    {
        var columns = (int)RowLength;
        var (firstWord, endWord) = ((int)(firstRow / AwqWord.Columns), (int)((firstRow + rows + AwqWord.Columns - 1) / AwqWord.Columns));
        var skipped = (int)(firstRow % AwqWord.Columns);
        var band = ArrayPool<uint>.Shared.Rent(columns * (endWord - firstWord));
        var codes = ArrayPool<byte>.Shared.Rent((endWord - firstWord) * AwqWord.Columns);
        try
        {
            words.Read(firstWord, endWord - firstWord, band.AsSpan(0, columns * (endWord - firstWord)));
            for (var column = 0; column < columns; column++)
            {
                var packed = band.AsSpan(column * (endWord - firstWord), endWord - firstWord);
                for (var word = 0; word < packed.Length; word++)
                    AwqWord.Unpack(packed[word], codes.AsSpan(word * AwqWord.Columns));
                var zero = zeros.Value.AsSpan(column / GroupLength * outputs + (int)firstRow, rows);
                for (var row = 0; row < rows; row++)
                    integers[row * columns + column] = (short)(codes[skipped + row] - zero[row]);
            }
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(band);
            ArrayPool<byte>.Shared.Return(codes);
        }
        for (var row = 0; row < rows; row++)
        {
            for (var group = 0; group < Groups; group++)
                rowScales[row * Groups + group] = scales.Value[group * outputs + firstRow + row];
        }
    }

    private static byte[] Unpack(uint[] words)
    {
        var codes = new byte[checked(words.Length * AwqWord.Columns)];
        for (var word = 0; word < words.Length; word++)
            AwqWord.Unpack(words[word], codes.AsSpan(word * AwqWord.Columns));
        return codes;
    }
}
