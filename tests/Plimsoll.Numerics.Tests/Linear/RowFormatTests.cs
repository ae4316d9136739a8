using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Linear;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Tests.Linear;

/// <summary>Rows of the layouts of Hugging Face, made here from numbers that are known.</summary>
public sealed class RowFormatTests
{
    private const int Rows = 21;

    /// <summary>A share of Σ |w · x|: rounding of FP32 sums, and of zero points that nearly cancel.</summary>
    private const double Rounding = 1e-5;

    private static readonly float[] Codebook = [.. Enumerable.Range(0, 16).Select(code => MathF.Sin(code * 1.7f))];

    public static TheoryData<string> Levels => [.. Enum.GetValues<SimdLevel>().Where(SimdLevels.IsSupported).Select(level => level.ToString())];

    public static TheoryData<int, bool, int, string, string> Integers =>
        [
            .. from level in Levels.Select(row => row.Data)
               from bits in (int[])[2, 3, 4, 8]
               from symmetric in (bool[])[false, true]
               from scale in (string[])["FP16", "BF16", "FP32"]
               select (bits, symmetric, scale == "FP16" ? 128 : scale == "BF16" ? 32 : 1 << 20, scale, level),
        ];

    [Theory]
    [MemberData(nameof(Integers))]
    public void A_product_is_that_of_integers_times_scales(int bits, bool symmetric, int groupLength, string scaleFormat, string level)
    {
        const int columns = 384;
        var scaleOf = NumberFormats.Find(scaleFormat)!;
        var format = IntegerRowFormat.Find(bits, groupLength, columns, scaleOf, symmetric)!;
        Assert.Equal(groupLength > columns ? 128 : groupLength, format.BlockLength);
        var random = new Random(bits);
        var (length, groups) = (Math.Min(groupLength, columns), (columns + groupLength - 1) / groupLength);
        var scales = Enumerable.Range(0, Rows * groups).Select(_ => Stored(scaleOf, random.NextSingle() + 0.1f)).ToArray();
        var zeros = scales.Select(_ => symmetric ? 1 << (bits - 1) : random.Next(1 << bits)).ToArray();
        var integers = Enumerable.Range(0, Rows * columns).Select(at => (short)(random.Next(1 << bits) - zeros[at / columns * groups + at % columns / length])).ToArray();
        var weights = integers.Select((integer, at) => scales[at / columns * groups + at % columns / length] * integer).ToArray();

        using var matrix = PackedMatrices.Create(format, Rows, columns, Each(format, columns, (row, bytes) =>
            format.Write(integers.AsSpan(row * columns, columns), scales.AsSpan(row * groups, groups), length, bytes)), Enum.Parse<SimdLevel>(level));

        CheckRows(matrix, weights, tolerance: 1e-4f);
        CheckProducts(matrix, weights, quantizedInputs: true);
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void A_product_with_a_codebook_is_that_of_its_values(string level)
    {
        const int columns = 320;
        var format = CodebookRowFormat.Find([.. Codebook], 64, columns, null)!;
        var random = new Random(1);
        var codes = Enumerable.Range(0, Rows * columns).Select(_ => (byte)random.Next(16)).ToArray();
        var absmax = Enumerable.Range(0, Rows * columns / 64).Select(_ => random.NextSingle()).ToArray();
        var weights = codes.Select((code, at) => Codebook[code] * absmax[at / 64]).ToArray();

        using var matrix = PackedMatrices.Create(format, Rows, columns, Each(format, columns, (row, bytes) =>
            format.Write(codes.AsSpan(row * columns, columns), absmax.AsSpan(row * columns / 64, columns / 64), 64, bytes)), Enum.Parse<SimdLevel>(level));

        CheckRows(matrix, weights, tolerance: 0);
        CheckProducts(matrix, weights, quantizedInputs: false);
    }

    [Fact]
    public void Nested_scales_are_computed_where_they_are_used()
    {
        const int columns = 512;
        var random = new Random(2);
        var map = Enumerable.Range(0, 256).Select(_ => random.NextSingle()).ToArray();
        var format = CodebookRowFormat.Find([.. Codebook], 64, columns, new([.. map], 0.25f))!;
        var codes = Enumerable.Range(0, Rows * columns).Select(_ => (byte)random.Next(16)).ToArray();
        var scaleCodes = Enumerable.Range(0, Rows * columns / 64).Select(_ => (byte)random.Next(256)).ToArray();
        var nested = Enumerable.Range(0, Rows * 2).Select(_ => random.NextSingle()).ToArray();
        var weights = codes.Select((code, at) => Codebook[code] * (map[scaleCodes[at / 64]] * nested[at / 256] + 0.25f)).ToArray();

        using var matrix = PackedMatrices.Create(format, Rows, columns, Each(format, columns, (row, bytes) =>
            format.Write(codes.AsSpan(row * columns, columns), scaleCodes.AsSpan(row * columns / 64, columns / 64), nested.AsSpan(row * 2, 2), bytes)));

        CheckRows(matrix, weights, tolerance: 1e-6f);
        CheckProducts(matrix, weights, quantizedInputs: false);
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void A_product_of_FP8_is_that_of_every_code_times_its_scale(string level)
    {
        const int columns = 256;
        var format = Fp8RowFormat.Find(128, columns)!;
        var codes = Enumerable.Range(0, Rows * columns).Select(at => (byte)((at & 0x7F) == 0x7F ? 0 : at)).ToArray();
        var scales = Enumerable.Range(0, Rows * 2).Select(at => 0.5f + at).ToArray();
        var weights = codes.Select((code, at) => scales[at / 128] * (float)FloatLayout.E4M3.Decode(code)).ToArray();

        using var matrix = PackedMatrices.Create(format, Rows, columns, Each(format, columns, (row, bytes) =>
            format.Write(codes.AsSpan(row * columns, columns), scales.AsSpan(row * 2, 2), 128, bytes)), Enum.Parse<SimdLevel>(level));

        CheckRows(matrix, weights, tolerance: 0);
        CheckProducts(matrix, weights, quantizedInputs: false);
    }

    [Fact]
    public void The_code_of_FP8_that_is_no_number_is_none()
    {
        var format = Fp8RowFormat.Find(32, 32)!;
        using var matrix = PackedMatrices.Create(format, 1, 32, Each(format, 32, (_, bytes) => format.Write(Enumerable.Repeat((byte)0xFF, 32).ToArray(), [1], 32, bytes)));
        var values = new float[32];
        matrix.ReadRow(0, values);
        Assert.All(values, value => Assert.True(float.IsNaN(value)));
    }

    [Theory]
    [InlineData(5, 128, 256)]
    [InlineData(4, 16, 256)]
    [InlineData(4, 128, 344)]
    [InlineData(4, 1000, 40)]
    public void What_no_kernel_takes_has_no_format(int bits, int groupLength, int columns) =>
        Assert.Null(IntegerRowFormat.Find(bits, groupLength, columns, NumberFormats.Fp16, isSymmetric: true));

    /// <summary>As bitsandbytes does it (int8_vectorwise_quant): the column of an outlier is exact for all vectors of a product, the rest is rounded without it.</summary>
    [Theory]
    [InlineData(6f)]
    [InlineData(null)]
    public void Columns_of_outliers_are_not_rounded(float? threshold)
    {
        const int columns = 256;
        var format = IntegerRowFormat.Find(8, columns, columns, NumberFormats.Fp32, isSymmetric: true)! with { OutlierThreshold = threshold };
        var random = new Random(4);
        var integers = Enumerable.Range(0, Rows * columns).Select(_ => (short)random.Next(-127, 128)).ToArray();
        using var matrix = PackedMatrices.Create(format, Rows, columns, Each(format, columns, (row, bytes) => format.Write(integers.AsSpan(row * columns, columns), [1f / 127], columns, bytes)));
        // The second vector has no outlier of its own.
        var inputs = StoredMatrix.Normal(2 * columns, seed: 6).Select(value => value * 0.25f).ToArray();
        (inputs[70], inputs[200]) = (60, -6);
        var outputs = new float[2 * Rows];

        matrix.Multiply(inputs, 2, outputs, ComputePool.Single);

        var worst = 0.0;
        for (var at = 0; at < outputs.Length; at++)
        {
            var (sum, allowed) = (0.0, 0.0);
            for (var column = 0; column < columns; column++)
            {
                var (weight, input) = (integers[at % Rows * columns + column] / 127.0, inputs[at / Rows * columns + column]);
                sum += weight * input;
                var isKept = column is 70 or 200;
                // Half a step of the largest input that is rounded: below 1.1 / 127.
                allowed += Math.Abs(weight) * (isKept ? 1e-6 * Math.Abs(input) : 0.5 * 1.1 / 127);
            }
            worst = Math.Max(worst, Math.Abs(outputs[at] - sum) / allowed);
        }
        Assert.InRange(worst, threshold is null ? 1 : 0, threshold is null ? double.MaxValue : 0.5);
    }

    [Fact]
    public void Sorted_columns_meet_the_inputs_in_the_same_order()
    {
        int[] order = [2, 0, 1];
        float[] weights = [1, 10, 100, 2, 20, 200];
        float[] sorted = [100, 1, 10, 200, 2, 20];
        using var matrix = new ReorderedMatrix(PackedMatrices.Create(NumberFormats.Fp32, 2, 3, (row, bytes) => System.Runtime.InteropServices.MemoryMarshal.AsBytes(sorted.AsSpan(row * 3)).CopyTo(bytes)), order);
        var outputs = new float[4];
        matrix.Multiply([1, 2, 3, 0, 1, 0], 2, outputs, ComputePool.Single);
        Assert.Equal([321, 642, 10, 20], outputs);
        var values = new float[3];
        matrix.ReadRow(1, values);
        Assert.Equal(weights[3..], values);
    }

    private static void CheckRows(PackedMatrix matrix, float[] weights, float tolerance)
    {
        var values = new float[matrix.Columns];
        for (var row = 0; row < matrix.Rows; row++)
        {
            matrix.ReadRow(row, values);
            for (var column = 0; column < values.Length; column++)
                Assert.Equal(weights[row * matrix.Columns + column], values[column], tolerance);
        }
    }

    private static void CheckProducts(PackedMatrix matrix, float[] weights, bool quantizedInputs)
    {
        foreach (var count in (int[])[1, 6])
        {
            var inputs = StoredMatrix.Normal(count * matrix.Columns, seed: 5);
            var outputs = new float[count * matrix.Rows];
            matrix.Multiply(inputs, count, outputs, ComputePool.Single);
            for (var at = 0; at < outputs.Length; at++)
            {
                var input = inputs.AsSpan(at / matrix.Rows * matrix.Columns, matrix.Columns).ToArray();
                if (quantizedInputs)
                    PackedMatrixTests.Quantize(input);
                var row = weights.AsSpan(at % matrix.Rows * matrix.Columns, matrix.Columns);
                var (sum, magnitude) = (0.0, 0.0);
                for (var k = 0; k < row.Length; k++)
                    (sum, magnitude) = (sum + (double)row[k] * input[k], magnitude + Math.Abs((double)row[k] * input[k]));
                Assert.InRange(outputs[at] - sum, -Rounding * magnitude, Rounding * magnitude);
            }
        }
    }

    private static float Stored(NumberFormat format, float value)
    {
        var code = new byte[format.BlockBytes];
        var stored = new float[1];
        ElementCodec.Encode(format, [value], code);
        ElementCodec.Decode(format, code, stored);
        return stored[0];
    }

    private delegate void RowWriter(int row, Span<byte> bytes);

    private static RowReader Each(RowFormat format, int columns, RowWriter write) => (first, bytes) =>
    {
        var size = (int)format.RowBytes(columns);
        for (var row = first; !bytes.IsEmpty; row++, bytes = bytes[size..])
            write(row, bytes[..size]);
    };
}
