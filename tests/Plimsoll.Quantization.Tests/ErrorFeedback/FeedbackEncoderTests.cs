using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.ErrorFeedback;

namespace Plimsoll.Quantization.Tests.ErrorFeedback;

public sealed class FeedbackEncoderTests
{
    private const int Columns = 256;
    private const int Rows = 21;

    public static TheoryData<string> Formats => ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "IQ4_XS"];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Outputs_for_inputs_that_were_not_seen_have_a_lower_error_in_the_same_bytes(string format)
    {
        var (codec, weights, seen, unseen) = Layer(format);
        var (plain, fed) = Encode(codec, weights, seen);
        Assert.InRange(SyntheticLayer.OutputError(weights, Decode(codec, fed), unseen, Columns) / SyntheticLayer.OutputError(weights, Decode(codec, plain), unseen, Columns), 0, 0.75);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Scales_are_those_of_one_search_of_the_codec_and_codes_are_those_of_the_published_algorithm(string format)
    {
        var (codec, weights, seen, _) = Layer(format);
        var grid = (IBlockGrid)codec;
        var (_, fed) = Encode(codec, weights, seen);
        var (scales, offsets) = Grid(codec, fed);
        var importance = SyntheticLayer.MeanSquares(seen, Columns);
        var searches = new[] { importance, [.. importance.Select(MathF.Sqrt)], [] }.Select(each => Grid(codec, Plain(codec, weights, each))).ToList();
        for (var row = 0; row < Rows; row++)
        {
            var own = (row * Columns / grid.SubLength)..((row + 1) * Columns / grid.SubLength);
            Assert.Contains(searches, search => search.Scales[own].SequenceEqual(scales[own]) && search.Offsets[own].SequenceEqual(offsets[own]));
        }
        var levels = grid.Levels.ToArray();
        var (published, decoded) = (PublishedGptq.Factor(SyntheticLayer.Gram(seen, Columns), 0.01), Decode(codec, fed));
        var near = 0;
        for (var row = 0; row < Rows; row++)
        {
            var first = row * Columns / grid.SubLength;
            var expected = PublishedGptq.Codes(weights[(row * Columns)..((row + 1) * Columns)], published, (column, wanted) => Nearest(levels, scales[first + column / grid.SubLength], offsets[first + column / grid.SubLength], wanted));
            near += Enumerable.Range(0, Columns).Count(column =>
                Math.Abs(Nearest(levels, scales[first + column / grid.SubLength], offsets[first + column / grid.SubLength], decoded[row * Columns + column]).Code - expected[column]) <= 1);
        }
        Assert.InRange(near / (double)(Rows * Columns), 0.995, 1);
    }

    [Fact]
    public void Any_cut_of_the_rows_and_any_number_of_threads_gives_the_same_bytes()
    {
        var (codec, weights, seen, _) = Layer("Q4_K");
        var one = Encoder(codec, seen, threads: 1);
        var two = Encoder(codec, seen, threads: 2);
        var rowBytes = (int)codec.Format.BytesFor(Columns);
        var (whole, parts) = (new byte[Rows * rowBytes], new byte[Rows * rowBytes]);
        one.Encode(weights, whole, SyntheticLayer.MeanSquares(seen, Columns), BlockSearch.Exact);
        for (var row = 0; row < Rows; row++)
            two.Encode(weights.AsSpan(row * Columns, Columns), parts.AsSpan(row * rowBytes, rowBytes), SyntheticLayer.MeanSquares(seen, Columns), BlockSearch.Exact);
        Assert.Equal(whole, parts);
    }

    /// <summary>Fewer inputs than columns, two equal columns and one that is always zero: H is singular.</summary>
    [Fact]
    public void Damping_rescues_a_singular_matrix_and_nothing_rescues_one_that_is_not_finite()
    {
        var gram = new double[9];
        (gram[0], gram[3], gram[4]) = (1, 1, 1);
        Assert.Equal(0.01, FeedbackFactor.Create(gram, 3, 1)!.Damping);
        Assert.Null(FeedbackFactor.Create(new double[9], 3, 1));
        gram[4] = double.NaN;
        Assert.Null(FeedbackFactor.Create(gram, 3, 1));
    }

    [Fact]
    public void A_matrix_that_is_far_from_positive_definite_gets_more_damping()
    {
        double[] gram = [1, 0, 1.05, 1];
        Assert.Equal(0.1, FeedbackFactor.Create(gram, 2, 1)!.Damping, 1e-9);
    }

    private static (BlockCodec Codec, float[] Weights, float[] Seen, float[] Unseen) Layer(string format)
    {
        var (weights, seen, unseen) = SyntheticLayer.Create(Rows, Columns);
        return (BlockCodecs.Find(NumberFormats.Find(format)!)!, weights, seen, unseen);
    }

    private static FeedbackEncoder Encoder(BlockCodec codec, float[] seen, int threads)
    {
        var collector = new InputCollector(keepsGrams: true, threads);
        collector.Observe("w", 0, seen, Columns);
        return new(FeedbackFactor.Create(collector.Find("w", 0)!.Gram, Columns, threads)!, codec, (IBlockGrid)codec);
    }

    private static (byte[] Plain, byte[] Fed) Encode(BlockCodec codec, float[] weights, float[] seen)
    {
        var (plain, fed) = (new byte[codec.Format.BytesFor(weights.Length)], new byte[codec.Format.BytesFor(weights.Length)]);
        codec.Encode(weights, Columns, plain, SyntheticLayer.MeanSquares(seen, Columns));
        Encoder(codec, seen, threads: 2).Encode(weights, fed, SyntheticLayer.MeanSquares(seen, Columns), BlockSearch.Exact);
        return (plain, fed);
    }

    private static byte[] Plain(BlockCodec codec, float[] weights, float[] importance)
    {
        var blocks = new byte[codec.Format.BytesFor(weights.Length)];
        codec.Encode(weights, Columns, blocks, importance);
        return blocks;
    }

    /// <summary>Scale and offset of every sub-block.</summary>
    private static (float[] Scales, float[] Offsets) Grid(BlockCodec codec, byte[] blocks)
    {
        var (grid, perBlock, length) = ((IBlockGrid)codec, codec.Format.BlockLength / ((IBlockGrid)codec).SubLength, codec.Format.BlockBytes);
        var (scales, offsets) = (new float[blocks.Length / length * perBlock], new float[blocks.Length / length * perBlock]);
        for (var block = 0; block < blocks.Length / length; block++)
            grid.ReadGrid(blocks.AsSpan(block * length, length), scales.AsSpan(block * perBlock, perBlock), offsets.AsSpan(block * perBlock, perBlock));
        return (scales, offsets);
    }

    private static float[] Decode(BlockCodec codec, byte[] blocks)
    {
        var values = new float[Rows * Columns];
        codec.Decode(blocks, values);
        return values;
    }

    private static (int Code, double Value) Nearest(float[] levels, double scale, double offset, double wanted) =>
        Enumerable.Range(0, levels.Length).Select(code => (Code: code, Value: scale * levels[code] + offset)).MinBy(choice => Math.Abs(choice.Value - wanted));
}
