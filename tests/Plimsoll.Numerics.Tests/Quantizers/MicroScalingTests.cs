using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Quantizers;

namespace Plimsoll.Numerics.Tests.Quantizers;

public class MicroScalingTests
{
    [Fact]
    public void FP4_rounds_as_compressed_tensors_does()
    {
        // compressed-tensors fp4_quant: |x| > .25 → .5, ≥ .75 → 1, > 1.25 → 1.5, ≥ 1.75 → 2, > 2.5 → 3, ≥ 3.5 → 4, > 5 → 6.
        float[] weights = [0.25f, 0.2500001f, 0.75f, 1.25f, 1.2500001f, 1.75f, 2.5f, 2.5000002f, 3.5f, 5f, 5.0000005f, 9, -0.3f, -6, -0.1f, 0, 0.75f];
        byte[] expected = [0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 7, 9, 15, 8, 0, 2];
        var codes = new byte[weights.Length];
        MicroScaling.Encode(weights, 1, codes);

        Assert.Equal(expected, codes);
    }

    [Fact]
    public void Vectors_and_single_numbers_give_the_same_codes()
    {
        var weights = CodebookQuantizerTests.Normal(4096).Select(value => value * 3).ToArray();
        var (together, apart) = (new byte[weights.Length], new byte[weights.Length]);
        MicroScaling.Encode(weights, 0.7f, together);
        for (var at = 0; at < weights.Length; at++)
            MicroScaling.Encode(weights.AsSpan(at, 1), 0.7f, apart.AsSpan(at));

        Assert.Equal(apart, together);
    }

    [Fact]
    public void An_MX_block_takes_the_exponent_of_the_specification_where_that_is_the_better_one()
    {
        var (block, codes) = (new float[32], new byte[32]);
        (block[0], block[1]) = (6 * 0.25f, -0.25f);

        Assert.Equal(127 - 2, MicroScaling.EncodeMx(block, codes));
        Assert.Equal((7, 10), (codes[0], codes[1]));
    }

    [Fact]
    public void An_MX_block_takes_the_next_exponent_where_the_specifications_cuts_too_much_off()
    {
        // 7.9 would become 6; with the double scale it becomes 8.
        var (block, codes) = (new float[32], new byte[32]);
        block[0] = 7.9f;

        Assert.Equal(128, MicroScaling.EncodeMx(block, codes));
        Assert.Equal(6, codes[0]);
    }

    [Fact]
    public void The_exponents_of_an_MX_block_leave_less_error_than_the_specifications()
    {
        var weights = CodebookQuantizerTests.Normal(32 * 2000);
        var (chosen, specified, codes, back) = (0.0, 0.0, new byte[32], new float[32]);
        foreach (var block in weights.Chunk(32))
        {
            MicroScaling.Decode(codes, MicroScaling.PowerOfTwo(MicroScaling.EncodeMx(block, codes)), back);
            chosen += block.Zip(back, (value, other) => Math.Pow(value - other, 2)).Sum();
            var scale = (float)Math.ScaleB(1, Math.ILogB(block.Max(Math.Abs)) - 2);
            MicroScaling.Encode(block, scale, codes);
            MicroScaling.Decode(codes, scale, back);
            specified += block.Zip(back, (value, other) => Math.Pow(value - other, 2)).Sum();
        }

        Assert.InRange(chosen / specified, 0.5, 0.95);
    }

    [Fact]
    public void Blocks_of_zeros_and_of_tiny_numbers_are_stored_as_zero()
    {
        var codes = Enumerable.Repeat((byte)9, 32).ToArray();
        Assert.Equal(0, MicroScaling.EncodeMx(new float[32], codes));
        Assert.All(codes, code => Assert.Equal(0, code));
        Assert.Equal(0, MicroScaling.EncodeNv([.. Enumerable.Repeat(1e-9f, 16)], MicroScaling.NvGlobalDivisor(1), codes.AsSpan(16)));
    }

    [Fact]
    public void The_largest_weight_of_an_NVFP4_tensor_gets_the_largest_scale_and_code()
    {
        float[] block = [3, .. new float[15]];
        var codes = new byte[16];
        var divisor = MicroScaling.NvGlobalDivisor(3);
        var scale = MicroScaling.EncodeNv(block, divisor, codes);

        Assert.Equal(448 * 6 / 3f, divisor);
        Assert.Equal(448, MicroScaling.Fp8Scale(scale));
        Assert.Equal(7, codes[0]);
    }

    [Fact]
    public void FP8_codes_are_the_nearest_of_the_scaled_weights()
    {
        var weights = CodebookQuantizerTests.Normal(1001);
        var scale = Fp8Quantizer.ScaleOf(GroupQuantizer.Largest(weights));
        var (codes, back) = (new byte[weights.Length], new float[weights.Length]);
        Fp8Quantizer.Encode(weights, scale, codes);
        Fp8Quantizer.Decode(codes, scale, back);

        for (var at = 0; at < weights.Length; at++)
        {
            Assert.Equal(FloatLayout.E4M3.Encode(weights[at] / scale, FloatOverflow.Saturate), codes[at]);
            Assert.Equal((float)FloatLayout.E4M3.Decode(codes[at]) * scale, back[at]);
        }
        Assert.Equal(1, Fp8Quantizer.ScaleOf(0));
    }
}
