using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Quantizers;

namespace Plimsoll.Numerics.Tests.Quantizers;

public class CodebookQuantizerTests
{
    /// <summary>
    /// bitsandbytes tests/test_functional.py, test_4bit_quant: means of 1000 samples of 1024² numbers. One sample of its older table deviates by 0.000074, of which
    /// four are the tolerance.
    /// </summary>
    [Theory]
    [InlineData(true, 64, 0.072792)]
    [InlineData(true, 128, 0.076835)]
    [InlineData(true, 256, 0.080326)]
    [InlineData(true, 512, 0.083535)]
    [InlineData(false, 64, 0.096545)]
    [InlineData(false, 128, 0.102947)]
    [InlineData(false, 256, 0.108685)]
    [InlineData(false, 512, 0.114087)]
    public void The_error_on_normal_numbers_is_the_one_that_bitsandbytes_publishes(bool isNf4, int block, double published)
    {
        var quantizer = isNf4 ? CodebookQuantizer.Nf4 : CodebookQuantizer.Fp4;
        var values = Normal(1024 * 1024);
        var (sum, codes, back) = (0.0, new byte[block], new float[block]);
        for (var at = 0; at < values.Length; at += block)
        {
            var weights = values.AsSpan(at, block);
            var absmax = GroupQuantizer.Largest(weights);
            quantizer.Encode(weights, absmax, codes);
            quantizer.Decode(codes, absmax, back);
            for (var index = 0; index < block; index++)
                sum += Math.Abs(weights[index] - back[index]);
        }

        Assert.Equal(published, sum / values.Length, 4 * 0.000074);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_weight_takes_the_nearest_entry_also_behind_the_last_whole_vector(bool isNf4)
    {
        var quantizer = isNf4 ? CodebookQuantizer.Nf4 : CodebookQuantizer.Fp4;
        var book = isNf4 ? Codebook.Nf4 : Codebook.BitsAndBytesFp4;
        var weights = Normal(1021);
        var absmax = GroupQuantizer.Largest(weights);
        var codes = new byte[weights.Length];
        quantizer.Encode(weights, absmax, codes);

        for (var at = 0; at < weights.Length; at++)
        {
            var scaled = weights[at] / (double)absmax;
            Assert.Equal(book.Values.Min(entry => Math.Abs(entry - scaled)), Math.Abs(book.Values[codes[at]] - scaled), 1e-7);
        }
    }

    [Fact]
    public void Vectors_and_single_numbers_give_the_same_codes_and_values()
    {
        var weights = Normal(64);
        var (together, apart, decoded, alone) = (new byte[64], new byte[64], new float[64], new float[64]);
        CodebookQuantizer.Nf4.Encode(weights, 3, together);
        CodebookQuantizer.Nf4.Decode(together, 3, decoded);
        for (var at = 0; at < 64; at++)
        {
            CodebookQuantizer.Nf4.Encode(weights.AsSpan(at, 1), 3, apart.AsSpan(at));
            CodebookQuantizer.Nf4.Decode(together.AsSpan(at, 1), 3, alone.AsSpan(at));
        }

        Assert.Equal(apart, together);
        Assert.Equal(alone, decoded);
    }

    [Fact]
    public void A_block_of_zeros_stays_zero()
    {
        var (codes, back) = (new byte[64], new float[64]);
        foreach (var quantizer in (CodebookQuantizer[])[CodebookQuantizer.Nf4, CodebookQuantizer.Fp4])
        {
            quantizer.Encode(new float[64], 0, codes);
            quantizer.Decode(codes, 0, back);
            Assert.All(back, value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public void The_dynamic_map_has_256_ascending_values_of_which_the_smallest_is_not_minus_one()
    {
        var map = DoubleQuantizer.Map.ToArray();

        Assert.Equal(256, map.Distinct().Count());
        Assert.Equal(map.Order(), map);
        Assert.Equal((1f, -0.99296875f), (map[^1], map[0]));
        Assert.Contains(0f, map);
        // The smallest decade has one value of either sign, 0.55 · 10⁻⁶.
        Assert.Equal(5.5e-7f, map.Where(value => value > 0).Min(), 1e-12f);
    }

    [Fact]
    public void Double_quantization_keeps_block_scales_within_the_steps_of_its_map()
    {
        // Scales as they are: the largest of 64 normal numbers.
        var absmax = Normal(64 * 1000).Chunk(64).Select(block => block.Max(Math.Abs)).ToArray();
        var (codes, nested, back) = (new byte[1000], new float[4], new float[1000]);
        var offset = DoubleQuantizer.Encode(absmax, codes, nested);
        DoubleQuantizer.Decode(codes, DoubleQuantizer.Map, nested, offset, back);

        Assert.Equal(absmax.Average(), offset, 1e-5f);
        for (var at = 0; at < absmax.Length; at++)
        {
            // In the widest decade neighbours are 0.9 / 64 apart; below −0.993 there is no value.
            Assert.True(Math.Abs(absmax[at] - back[at]) <= nested[at / 256] * 0.9 / 64 / 2 + 1e-6, $"{absmax[at]} became {back[at]}");
        }
    }

    internal static float[] Normal(int count)
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
