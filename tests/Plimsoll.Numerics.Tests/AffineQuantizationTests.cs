using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Tests;

public class AffineQuantizationTests
{
    [Theory]
    [InlineData(8, true, -127, 127, 0, 1.0 / 127)]
    [InlineData(4, true, -7, 7, 0, 1.0 / 7)]
    [InlineData(2, true, -1, 1, 0, 1.0)]
    [InlineData(8, false, 1, 255, 128, 1.0 / 127)]
    [InlineData(4, false, 1, 15, 8, 1.0 / 7)]
    public void Symmetric_codes_leave_out_the_lowest(int bits, bool signed, int minimum, int maximum, int zero, double scale) =>
        AssertParameters(AffineQuantization.FromRange(-1, 0.5, bits, signed, AffineScheme.Symmetric), minimum, maximum, zero, scale);

    /// <summary>compressed-tensors: scale = amax / 7.5 for four bits, codes −8 … 7; GPTQ stores the same plus 8.</summary>
    [Theory]
    [InlineData(4, true, -8, 7, 0, 1 / 7.5)]
    [InlineData(4, false, 0, 15, 8, 1 / 7.5)]
    [InlineData(8, true, -128, 127, 0, 1 / 127.5)]
    public void Full_range_symmetric_codes_use_every_code(int bits, bool signed, int minimum, int maximum, int zero, double scale) =>
        AssertParameters(AffineQuantization.FromRange(-0.25, 1, bits, signed, AffineScheme.SymmetricFullRange), minimum, maximum, zero, scale);

    [Theory]
    [InlineData(-1, 1, 8, false, 0, 255, 128, 2.0 / 255)]
    [InlineData(-1, 1, 8, true, -128, 127, 0, 2.0 / 255)]
    [InlineData(0, 2.55, 8, false, 0, 255, 0, 2.55 / 255)]
    [InlineData(0, 2.55, 8, true, -128, 127, -128, 2.55 / 255)]
    [InlineData(-0.5, 1, 4, false, 0, 15, 5, 0.1)]
    [InlineData(1, 3, 4, false, 0, 15, 0, 0.2)]
    [InlineData(-3, -1.5, 4, false, 0, 15, 15, 0.2)]
    public void Asymmetric_ranges_are_widened_to_zero(double min, double max, int bits, bool signed, int minimum, int maximum, int zero, double scale) =>
        AssertParameters(AffineQuantization.FromRange(min, max, bits, signed, AffineScheme.Asymmetric), minimum, maximum, zero, scale);

    private static void AssertParameters(AffineQuantization affine, int minimum, int maximum, int zero, double scale)
    {
        Assert.Equal((minimum, maximum, zero), (affine.Minimum, affine.Maximum, affine.ZeroPoint));
        Assert.Equal(scale, affine.Scale, 1e-15);
    }

    /// <summary>The worked example of the command: 0.0234375 · 127 = 2.9765625, so code 3 and 3/127.</summary>
    [Fact]
    public void The_worked_example_holds()
    {
        var affine = AffineQuantization.FromRange(-1, 1, 8, true, AffineScheme.Symmetric);
        Assert.Equal(3, affine.Quantize(0.0234375));
        Assert.Equal(3 / 127.0, affine.Dequantize(3), 1e-15);
        Assert.Equal(3 / 127.0 - 0.0234375, affine.Error(0.0234375), 1e-15);
    }

    [Fact]
    public void Zero_is_always_exact_and_values_in_range_are_at_most_a_step_off()
    {
        var random = new Random(11);
        foreach (var scheme in Enum.GetValues<AffineScheme>())
        {
            for (var trial = 0; trial < 2000; trial++)
            {
                var bits = random.Next(AffineQuantization.MinBits, 9);
                var (a, b) = (random.NextDouble() * 20 - 10, random.NextDouble() * 20 - 10);
                var affine = AffineQuantization.FromRange(Math.Min(a, b), Math.Max(a, b), bits, trial % 2 == 0, scheme);
                Assert.Equal(0, affine.Dequantize(affine.Quantize(0)));
                // Half a step, and up to half a step more at an end that the rounded zero point or the missing positive code cuts off.
                var allowed = scheme == AffineScheme.Symmetric ? 0.5 : 1.0;
                for (var step = 0; step <= 20; step++)
                {
                    var value = a + (b - a) * step / 20;
                    Assert.InRange(Math.Abs(affine.Error(value)) / affine.Scale, 0, allowed + 1e-9);
                }
            }
        }
    }

    [Fact]
    public void Every_code_survives_the_way_there_and_back()
    {
        foreach (var scheme in Enum.GetValues<AffineScheme>())
        {
            for (var bits = AffineQuantization.MinBits; bits <= 8; bits++)
            {
                foreach (var signed in new[] { true, false })
                {
                    var affine = AffineQuantization.FromRange(-0.7, 1.9, bits, signed, scheme);
                    for (var code = affine.Minimum; code <= affine.Maximum; code++)
                        Assert.Equal(code, affine.Quantize(affine.Dequantize(code)));
                }
            }
        }
    }

    [Fact]
    public void Halves_round_to_even_and_the_outside_is_clamped()
    {
        var affine = AffineQuantization.FromScale(1, 0, 4, signed: true);
        Assert.Equal([0, 2, 2, -2, 7, 7, -8, 7, -8], new[] { 0.5, 1.5, 2.5, -1.5, 7.4, 99, -8.6, double.PositiveInfinity, double.NegativeInfinity }.Select(affine.Quantize));
        Assert.Throws<ArgumentException>(() => affine.Quantize(double.NaN));
    }

    [Fact]
    public void A_range_of_zeros_has_scale_one()
    {
        var affine = AffineQuantization.FromRange(0, 0, 8, true, AffineScheme.Asymmetric);
        Assert.Equal(1, affine.Scale);
        Assert.Equal(0, affine.Dequantize(affine.Quantize(0)));
    }

    [Fact]
    public void Nonsense_is_refused()
    {
        Assert.Throws<ArgumentException>(() => AffineQuantization.FromRange(1, -1, 8, true, AffineScheme.Symmetric));
        Assert.Throws<ArgumentException>(() => AffineQuantization.FromRange(double.NaN, 1, 8, true, AffineScheme.Symmetric));
        Assert.Throws<ArgumentException>(() => AffineQuantization.FromRange(double.MinValue, double.MaxValue, 8, true, AffineScheme.Asymmetric));
        Assert.Throws<ArgumentException>(() => AffineQuantization.FromRange(-1, 1, 1, true, AffineScheme.Symmetric));
        Assert.Throws<ArgumentException>(() => AffineQuantization.FromRange(-1, 1, 17, true, AffineScheme.Symmetric));
        Assert.Throws<ArgumentException>(() => AffineQuantization.FromScale(0, 0, 8, true));
        Assert.Throws<ArgumentException>(() => AffineQuantization.FromScale(1, 200, 8, true));
    }
}
