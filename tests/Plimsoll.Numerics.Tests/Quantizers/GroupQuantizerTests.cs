using Plimsoll.Numerics.Codecs;
using Plimsoll.Numerics.Quantizers;

namespace Plimsoll.Numerics.Tests.Quantizers;

public class GroupQuantizerTests
{
    [Theory]
    [InlineData(2), InlineData(3), InlineData(4), InlineData(8)]
    public void Symmetric_codes_are_those_of_the_scalar_reference(int bits)
    {
        // 131 weights: vectors and a tail.
        var weights = CodebookQuantizerTests.Normal(131);
        var scale = GroupQuantizer.SymmetricScale(weights, bits);
        var codes = new byte[weights.Length];
        GroupQuantizer.Encode(weights, scale, (byte)(1 << (bits - 1)), bits, codes);
        var reference = AffineQuantization.FromScale(scale, 1 << (bits - 1), bits, signed: false);

        Assert.Equal(weights.Max(Math.Abs) / ((1 << (bits - 1)) - 0.5), scale, 1e-6);
        for (var at = 0; at < weights.Length; at++)
            Assert.True(reference.Quantize(weights[at]) == codes[at] || IsTie(weights[at], scale), $"{weights[at]}");
    }

    [Theory]
    [InlineData(2), InlineData(4), InlineData(8)]
    public void Codes_with_a_zero_point_are_those_of_the_scalar_reference(int bits)
    {
        var weights = CodebookQuantizerTests.Normal(131).Select(value => value + 1).ToArray();
        var (scale, minimum) = GroupQuantizer.AsymmetricScale(weights, bits);
        var zero = GroupQuantizer.ZeroPoint(minimum, scale, bits);
        var codes = new byte[weights.Length];
        GroupQuantizer.Encode(weights, scale, zero, bits, codes);
        var reference = AffineQuantization.FromRange(weights.Min(), weights.Max(), bits, signed: false, AffineScheme.Asymmetric);

        Assert.Equal(reference.Scale, scale, 1e-6);
        Assert.Equal(reference.ZeroPoint, zero);
        for (var at = 0; at < weights.Length; at++)
            Assert.True(reference.Quantize(weights[at]) == codes[at] || IsTie(weights[at], scale), $"{weights[at]}");
    }

    [Fact]
    public void A_group_of_zeros_is_stored_as_zero()
    {
        var (codes, back) = (new byte[40], new float[40]);
        GroupQuantizer.Encode(new float[40], GroupQuantizer.SymmetricScale(new float[40], 4), 8, 4, codes);
        GroupQuantizer.Decode(codes, 0, 8, back);

        Assert.All(codes, code => Assert.Equal(8, code));
        Assert.All(back, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Ties_go_to_the_even_code_in_vectors_and_in_the_tail()
    {
        float[] halves = [.. Enumerable.Range(0, 33).Select(index => (index % 14) - 6.5f)];
        var codes = new byte[halves.Length];
        GroupQuantizer.Encode(halves, 1, 8, 4, codes);

        Assert.Equal(halves.Select(value => (byte)(Math.Round(value, MidpointRounding.ToEven) + 8)), codes);
    }

    [Fact]
    public void Restricted_codes_leave_out_the_smallest()
    {
        var codes = new byte[40];
        GroupQuantizer.Encode([.. Enumerable.Repeat(-300f, 40)], 1, 128, 8, codes, lowest: 1);
        Assert.All(codes, code => Assert.Equal(1, code));
    }

    /// <summary>The reference divides in double precision; where it meets a middle the single-precision quotient may lie on the other side.</summary>
    private static bool IsTie(float weight, float scale) => Math.Abs(Math.Abs(weight / (double)scale % 1) - 0.5) < 1e-5;
}
