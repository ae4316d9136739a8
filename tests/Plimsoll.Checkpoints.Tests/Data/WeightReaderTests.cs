using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Tests.Data;

public class WeightReaderTests
{
    [Theory]
    [InlineData("FP32", "0000803F000000C0", 1f, -2f)]
    [InlineData("FP64", "000000000000F03F00000000000000C0", 1f, -2f)]
    [InlineData("FP16", "003C00C0", 1f, -2f)]
    [InlineData("BF16", "803F00C0", 1f, -2f)]
    [InlineData("FP8_E4M3", "38C0", 1f, -2f)]
    [InlineData("FP8_E5M2", "3CC0", 1f, -2f)]
    [InlineData("E8M0", "7F80", 1f, 2f)]
    [InlineData("INT8", "01FE", 1f, -2f)]
    [InlineData("UINT8", "01FE", 1f, 254f)]
    [InlineData("INT16", "0100FEFF", 1f, -2f)]
    [InlineData("UINT16", "0100FEFF", 1f, 65534f)]
    [InlineData("INT32", "01000000FEFFFFFF", 1f, -2f)]
    [InlineData("UINT32", "01000000FEFF0000", 1f, 65534f)]
    [InlineData("INT64", "0100000000000000FEFFFFFFFFFFFFFF", 1f, -2f)]
    [InlineData("UINT64", "0100000000000000FEFF000000000000", 1f, 65534f)]
    [InlineData("BOOL", "0100", 1f, 0f)]
    public void Every_plain_element_type_is_read_as_floats(string format, string bytes, float first, float second)
    {
        using var folder = new TemporaryFolder();
        using var reader = Reader(folder, NumberFormats.Find(format)!, Convert.FromHexString(bytes), [1, 2]);

        Assert.Equal([first, second], Read(reader, 0, 1));
    }

    [Fact]
    public void Any_range_of_rows_is_read()
    {
        using var folder = new TemporaryFolder();
        using var reader = Reader(folder, NumberFormats.Fp32, Floats(0, 1, 2, 3, 4, 5), [3, 2]);

        Assert.Equal([2f, 3, 4, 5], Read(reader, 1, 2));
        Assert.Throws<ArgumentException>(() => Read(reader, 2, 2));
        Assert.Throws<ArgumentException>(() => reader.Find("w")!.ReadRows(0, new float[3]));
    }

    [Fact]
    public void Rows_longer_than_one_piece_are_read_whole()
    {
        const int length = 100_003;
        using var folder = new TemporaryFolder();
        using var reader = Reader(folder, NumberFormats.Fp32, Floats([.. Enumerable.Range(0, 2 * length).Select(index => (float)index)]), [2, length]);

        Assert.Equal(Enumerable.Range(length, length).Select(index => (float)index), Read(reader, 1, 1));
    }

    [Theory]
    // (2, 3) stored column by column; every second element; one row repeated; one element repeated; (2, 2, 2) with the outer dimensions exchanged.
    [InlineData(new long[] { 2, 3 }, new long[] { 1, 2 }, new float[] { 0, 2, 4, 1, 3, 5 })]
    [InlineData(new long[] { 2, 2 }, new long[] { 4, 2 }, new float[] { 0, 2, 4, 6 })]
    [InlineData(new long[] { 2, 2 }, new long[] { 0, 1 }, new float[] { 0, 1, 0, 1 })]
    [InlineData(new long[] { 2, 2 }, new long[] { 3, 0 }, new float[] { 0, 0, 3, 3 })]
    [InlineData(new long[] { 2, 2, 2 }, new long[] { 2, 4, 1 }, new float[] { 0, 1, 4, 5, 2, 3, 6, 7 })]
    [InlineData(new long[] { 3 }, new long[] { 2 }, new float[] { 0, 2, 4 })]
    public void Views_of_PyTorch_are_read_in_row_major_order(long[] dimensions, long[] strides, float[] expected)
    {
        using var folder = new TemporaryFolder();
        using var reader = Reader(folder, NumberFormats.Fp32, Floats(0, 1, 2, 3, 4, 5, 6, 7), [.. dimensions], [.. strides]);

        Assert.Equal(expected, Read(reader, 0, expected.Length / (int)dimensions[^1]));
    }

    [Fact]
    public void A_file_that_has_shrunk_gives_a_format_exception()
    {
        using var folder = new TemporaryFolder();
        using var reader = Reader(folder, NumberFormats.Fp32, Floats(0, 1), [2, 2]);

        Assert.Contains("the end of the file", Assert.Throws<CheckpointFormatException>(() => Read(reader, 0, 2)).Message);
    }

    [Fact]
    public void A_type_without_floats_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        using var reader = Reader(folder, NumberFormats.Find("C64")!, new byte[8], [1]);

        Assert.Contains("parameter 'w' in a layout whose weights can be read, found the type C64", Assert.Throws<CheckpointFormatException>(() => reader.Find("w")).Message);
    }

    [Fact]
    public void Threads_read_the_same_weight_side_by_side()
    {
        const int rows = 64;
        using var folder = new TemporaryFolder();
        using var reader = Reader(folder, NumberFormats.Fp32, Floats([.. Enumerable.Range(0, rows * 4).Select(index => (float)index)]), [rows, 4]);
        var weight = reader.Find("w")!;
        var values = new float[rows * 4];

        Parallel.For(0, rows, row => weight.ReadRows(row, values.AsSpan(row * 4, 4)));

        Assert.Equal(Enumerable.Range(0, rows * 4).Select(index => (float)index), values);
    }

    private static WeightReader Reader(TemporaryFolder folder, NumberFormat format, byte[] bytes, ImmutableArray<long> dimensions, ImmutableArray<long>? strides = null)
    {
        var path = folder.Write("data.bin", bytes);
        var elements = dimensions.Aggregate(1L, (product, size) => product * size);
        var header = new TensorHeader("w", format, dimensions, path, 0, strides is null ? format.BytesFor(elements) : bytes.Length) { Strides = strides };
        return new(new() { Path = path, Format = CheckpointFormat.PyTorch, Files = [path], Tensors = [header] }, null);
    }

    private static float[] Read(WeightReader reader, long firstRow, int rows)
    {
        var weight = reader.Find("w")!;
        var values = new float[rows * weight.RowLength];
        weight.ReadRows(firstRow, values);
        return values;
    }

    private static byte[] Floats(params float[] values) => MemoryMarshal.AsBytes<float>(values).ToArray();
}
