using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Numerics.Tests.Blocks;

/// <summary>What holds for every block codec, whoever wrote it.</summary>
public class BlockCodecTests
{
    private const int RowLength = 512;

    public static TheoryData<string> Codecs => new(BlockCodecs.All.Select(codec => codec.Format.Name));

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Rows_are_independent(string name)
    {
        var codec = BlockCodecs.Find(NumberFormats.Find(name)!)!;
        var importance = WeightSamples.Importance(RowLength);
        var values = WeightSamples.Create("heavy tails", 7 * RowLength);
        var whole = new byte[codec.Format.BytesFor(values.Length)];
        var pieces = new byte[whole.Length];
        foreach (var search in Enum.GetValues<BlockSearch>())
        {
            codec.Encode(values, RowLength, whole, importance, search);
            var rowBytes = (int)codec.Format.BytesFor(RowLength);
            foreach (var (first, rows) in (ReadOnlySpan<(int, int)>)[(0, 1), (1, 4), (5, 2)])
                codec.Encode(values.AsSpan(first * RowLength, rows * RowLength), RowLength, pieces.AsSpan(first * rowBytes, rows * rowBytes), importance, search);
            Assert.Equal(whole, pieces);
        }
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void A_codec_is_found_by_its_format(string name)
    {
        var format = NumberFormats.Find(name)!;
        Assert.Same(format, BlockCodecs.Find(format)!.Format);
    }

    [Fact]
    public void A_format_without_a_codec_is_not_found() => Assert.Null(BlockCodecs.Find(NumberFormats.Fp32));

    /// <summary>Half a step between neighbouring codes as a part of the largest magnitude; up to twice that where scales and minimums are codes themselves.</summary>
    [Theory]
    [InlineData("Q8_0", 0.5 / 127)]
    [InlineData("Q6_K", 0.75 / 32)]
    [InlineData("Q5_1", 1.0 / 31)]
    [InlineData("Q5_0", 1.0 / 16)]
    [InlineData("Q5_K", 2.0 / 31)]
    [InlineData("Q4_1", 1.0 / 15)]
    [InlineData("Q4_0", 1.0 / 8)]
    [InlineData("Q4_K", 2.0 / 15)]
    [InlineData("Q3_K", 1.5 / 4)]
    [InlineData("Q2_K", 2.0 / 3)]
    [InlineData("MXFP4", 1.0 / 4)]
    [InlineData("NVFP4_GGML", 1.5 / 6)]
    [InlineData("TQ1_0", 0.5)]
    [InlineData("TQ2_0", 0.5)]
    [InlineData("Q2_0", 0.5)]
    public void Decoding_comes_within_half_a_step(string name, double halfStep)
    {
        var codec = BlockCodecs.Find(NumberFormats.Find(name)!)!;
        var values = WeightSamples.Create("uniform", 64 * RowLength);
        var blocks = new byte[codec.Format.BytesFor(values.Length)];
        var decoded = new float[values.Length];
        codec.Encode(values, RowLength, blocks);
        codec.Decode(blocks, decoded);
        for (var start = 0; start < values.Length; start += codec.Format.BlockLength)
        {
            var block = values.AsSpan(start, codec.Format.BlockLength).ToArray();
            // An FP16 scale is off by one part in 4096, and so is a minimum; a range is at most twice the magnitude.
            var limit = block.Max(Math.Abs) * (halfStep + 3.0 / 4096);
            Assert.All(block, (value, i) => Assert.InRange(decoded[start + i] - value, -limit, limit));
        }
    }

    [Fact]
    public void Bad_lengths_are_refused_with_the_numbers()
    {
        var codec = BlockCodecs.Find(NumberFormats.Q4_0)!;
        Assert.StartsWith("a row of Q4_0 has a multiple of 32 elements, not 31", Assert.Throws<ArgumentException>(() => codec.Encode(new float[31], 31, new byte[18])).Message);
        Assert.StartsWith("48 values are no whole rows of 32", Assert.Throws<ArgumentException>(() => codec.Encode(new float[48], 32, new byte[27])).Message);
        Assert.StartsWith("32 values take 18 bytes of Q4_0, not 17", Assert.Throws<ArgumentException>(() => codec.Encode(new float[32], 32, new byte[17])).Message);
        Assert.StartsWith("5 importances for rows of 32", Assert.Throws<ArgumentException>(() => codec.Encode(new float[32], 32, new byte[18], new float[5])).Message);
        Assert.StartsWith("19 bytes of Q4_0 are not 32 values", Assert.Throws<ArgumentException>(() => codec.Decode(new byte[19], new float[32])).Message);
    }

    /// <summary>The worked example of docs/formulas/quantization.md.</summary>
    [Fact]
    public void Q4_0_puts_the_largest_magnitude_on_its_lowest_code()
    {
        var codec = BlockCodecs.Find(NumberFormats.Q4_0)!;
        var values = new float[32];
        ((float[])[-4, 1, 2, 3.5f]).CopyTo(values, 0);
        var (block, decoded) = (new byte[18], new float[32]);
        codec.Encode(values, 32, block);
        codec.Decode(block, decoded);
        Assert.Equal((Half)0.5, BitConverter.ToHalf(block));
        Assert.Equal([0, 10, 12, 15, 8], block[2..7].Select(pair => pair & 15));
        Assert.Equal(values, decoded);
    }
}
