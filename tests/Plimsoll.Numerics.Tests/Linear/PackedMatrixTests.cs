using Plimsoll.Numerics.Linear;
using Plimsoll.Numerics.Linear.Integers;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Tests.Linear;

public sealed class PackedMatrixTests
{
    /// <summary>A share of Σ |w · x|: rounding of FP32 sums, and of minimums that nearly cancel.</summary>
    private const double Rounding = 2e-6;

    public static TheoryData<string> Formats => [.. StoredMatrix.Formats.Select(format => format.Name)];

    public static TheoryData<string, string> FormatsAtEveryLevel =>
        [.. from format in StoredMatrix.Formats from level in Levels select (format.Name, level.ToString())];

    private static IEnumerable<SimdLevel> Levels => Enum.GetValues<SimdLevel>().Where(SimdLevels.IsSupported);

    [Theory]
    [MemberData(nameof(FormatsAtEveryLevel))]
    public void A_product_is_that_of_the_decoded_weights(string formatName, string level)
    {
        var format = NumberFormats.Find(formatName)!;
        var columns = format.BlockLength < 256 ? 256 + 128 : 512;
        var stored = new StoredMatrix(format, rows: 37, columns);
        using var matrix = PackedMatrices.Create(format, stored.Rows, columns, stored.Read, Enum.Parse<SimdLevel>(level));
        foreach (var count in (int[])[1, 3, 9, 130])
        {
            var inputs = StoredMatrix.Normal(count * columns, seed: 2);
            var outputs = new float[count * stored.Rows];
            matrix.Multiply(inputs, count, outputs, ComputePool.Single);
            for (var i = 0; i < outputs.Length; i++)
            {
                var input = inputs.AsSpan(i / stored.Rows * columns, columns);
                var (sum, magnitude) = stored.Dot(i % stored.Rows, AsMultiplied(format, input));
                Assert.InRange(outputs[i] - sum, -Rounding * magnitude, Rounding * magnitude);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_row_reads_back_as_its_codec_decodes_it(string formatName)
    {
        var format = NumberFormats.Find(formatName)!;
        var stored = new StoredMatrix(format, rows: 18, columns: 512);
        using var matrix = PackedMatrices.Create(format, stored.Rows, stored.Columns, stored.Read);
        var values = new float[stored.Columns];
        for (var row = 0; row < stored.Rows; row++)
        {
            matrix.ReadRow(row, values);
            Assert.Equal(stored.Values[(row * stored.Columns)..((row + 1) * stored.Columns)], values);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Weights_take_the_bytes_that_they_take_in_the_file(string formatName)
    {
        var format = NumberFormats.Find(formatName)!;
        var stored = new StoredMatrix(format, rows: 32, columns: 512);
        using var matrix = PackedMatrices.Create(format, stored.Rows, stored.Columns, stored.Read);
        Assert.Equal(format.BytesFor(32 * 512), matrix.Bytes);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void More_threads_change_no_bit(string formatName)
    {
        var format = NumberFormats.Find(formatName)!;
        var stored = new StoredMatrix(format, rows: 200, columns: 256);
        using var matrix = PackedMatrices.Create(format, stored.Rows, stored.Columns, stored.Read);
        using var pool = new ComputePool(3);
        var inputs = StoredMatrix.Normal(5 * stored.Columns, seed: 3);
        var (alone, together) = (new float[5 * stored.Rows], new float[5 * stored.Rows]);
        matrix.Multiply(inputs, 5, alone, ComputePool.Single);
        matrix.Multiply(inputs, 5, together, pool);
        Assert.Equal(alone, together);
    }

    [Fact]
    public void Spans_of_the_wrong_length_are_refused()
    {
        var stored = new StoredMatrix(NumberFormats.Fp32, rows: 2, columns: 3);
        using var matrix = PackedMatrices.Create(NumberFormats.Fp32, 2, 3, stored.Read);
        var failure = Assert.Throws<ArgumentException>(() => matrix.Multiply(new float[5], 2, new float[4], ComputePool.Single));
        Assert.Contains("2 vectors for a matrix of 2 × 3 take 6 inputs and 4 outputs, not 5 and 4", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.ReadRow(2, new float[3]));
        Assert.Throws<ArgumentException>(() => matrix.ReadRow(1, new float[2]));
    }

    [Fact]
    public void Columns_that_cut_a_block_are_refused()
    {
        var failure = Assert.Throws<ArgumentException>(() => PackedMatrices.Create(NumberFormats.Q4_0, 16, 40, (_, _) => { }));
        Assert.Contains("a row of Q4_0 has a multiple of 32 columns, not 40", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_format_without_a_product_is_refused()
    {
        Assert.False(PackedMatrices.Supports(NumberFormats.Int64));
        Assert.Throws<NotSupportedException>(() => PackedMatrices.Create(NumberFormats.Int64, 16, 32, (_, _) => { }));
    }

    /// <summary>The inputs as the product sees them: formats with integer codes meet eight bits, d = max |x| / 127 per 32, rounded half to even.</summary>
    private static float[] AsMultiplied(NumberFormat format, ReadOnlySpan<float> inputs)
    {
        var values = inputs.ToArray();
        if (IntegerPanelFormats.Find(format) is not null)
            Quantize(values);
        return values;
    }

    internal static void Quantize(float[] values)
    {
        for (var start = 0; start < values.Length; start += 32)
        {
            var block = values.AsSpan(start, 32);
            var scale = block.ToArray().Max(MathF.Abs) / 127;
            foreach (ref var value in block)
                value = scale * MathF.Round(value * (1 / scale), MidpointRounding.ToEven);
        }
    }
}
