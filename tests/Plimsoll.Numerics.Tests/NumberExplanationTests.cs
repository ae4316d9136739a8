using Plimsoll.Numerics.Explanations;

namespace Plimsoll.Numerics.Tests;

public class NumberExplanationTests
{
    private static NumberExplanation Explain(string format, double value, double? min = null, double? max = null, bool? symmetric = null, double? scale = null, int? zero = null) =>
        NumberExplanation.Of(NumberFormats.Find(format)!, value, new()
        {
            Range = min is { } low ? (low, max!.Value) : null,
            Symmetric = symmetric,
            Scale = scale,
            ZeroPoint = zero,
        });

    private static double? Step(NumberExplanation explanation, string name) => explanation.Steps.Single(step => step.Name == name).Value;

    [Fact]
    public void An_integer_goes_from_range_to_scale_to_code_and_back()
    {
        var walk = Explain("int8", 0.0234375, -1, 1);
        Assert.Equal(["range", "scale", "zero_point", "scaled", "rounded", "code", "dequantized"], walk.Steps.Select(step => step.Name));
        Assert.Equal(1.0 / 127, Step(walk, "scale"));
        Assert.Equal(2.9765625, Step(walk, "scaled")!.Value, 1e-12);
        Assert.Equal("3", walk.Code);
        Assert.Equal(3.0 / 127, walk.Result, 1e-15);
        Assert.Equal(3.0 / 127 - 0.0234375, walk.AbsoluteError!.Value, 1e-15);
        Assert.Equal((3.0 / 127 - 0.0234375) / 0.0234375, walk.RelativeError!.Value, 1e-12);
        Assert.False(walk.Clamped || walk.Overflow);
    }

    [Fact]
    public void An_asymmetric_range_moves_the_zero_point()
    {
        var walk = Explain("int8", 0.5, 0, 2.55, symmetric: false);
        Assert.Equal(-128, Step(walk, "zero_point"));
        Assert.Equal("-78", walk.Code);
        Assert.Equal("128", Explain("uint8", 0, -1, 1, symmetric: true).Code);
        Assert.Equal("0", Explain("uint8", 0, 0, 1).Code);
    }

    [Fact]
    public void A_value_outside_the_range_is_cut_off()
    {
        var walk = Explain("int8", 2, -1, 1);
        Assert.True(walk.Clamped);
        Assert.Equal("127", walk.Code);
        Assert.Equal(254, Step(walk, "rounded"));
        Assert.Contains("cut off", walk.Verdict);
    }

    [Fact]
    public void A_given_scale_is_taken_as_it_is()
    {
        Assert.Equal("10", Explain("int8", 1, scale: 0.1).Code);
        Assert.Equal("138", Explain("uint8", 1, scale: 0.1, zero: 128).Code);
        Assert.Equal(0.0, Explain("int4", 0.04, scale: 0.1).Result);
    }

    [Theory]
    [InlineData("fp16", 70000, double.PositiveInfinity, "0x7C00")]
    [InlineData("fp16", -70000, double.NegativeInfinity, "0xFC00")]
    [InlineData("fp8_e5m2", 70000, double.PositiveInfinity, "0x7C")]
    [InlineData("e4m3", 500, double.NaN, "0x7F")]
    [InlineData("fp4", 7, 6, "0x7")]
    [InlineData("fp32", 1e39, double.PositiveInfinity, "0x7F800000")]
    public void Overflow_is_shown_as_overflow(string format, double value, double result, string code)
    {
        var walk = Explain(format, value);
        Assert.True(walk.Overflow);
        Assert.Equal(result, walk.Result);
        Assert.Equal(code, walk.Code);
        Assert.Contains("overflows", walk.Verdict);
    }

    [Theory]
    [InlineData("bf16", 70000, 70144)]
    [InlineData("fp16", 65519, 65504)]
    [InlineData("e4m3", 460, 448)]
    [InlineData("fp16", 0.1, 0.0999755859375)]
    [InlineData("tf32", 0.1, 0.0999755859375)]
    [InlineData("fp64", 0.1, 0.1)]
    [InlineData("e4m3", 0.0005, 0)]
    public void A_number_in_range_is_rounded_without_overflow(string format, double value, double result)
    {
        var walk = Explain(format, value);
        Assert.False(walk.Overflow);
        Assert.Equal(result, walk.Result);
    }

    [Fact]
    public void A_scaled_float_saturates_where_a_plain_one_overflows()
    {
        var walk = Explain("fp8", 2, -1, 1);
        Assert.True(walk is { Overflow: true, Clamped: true });
        Assert.Equal(1, walk.Result, 1e-12);
    }

    [Fact]
    public void E8M0_takes_the_nearest_power_of_two()
    {
        Assert.Equal(0.0625, Explain("e8m0", 0.05).Result);
        Assert.Equal(0.03125, Step(Explain("e8m0", 0.05), "down"));
        Assert.True(Explain("e8m0", 1e39).Overflow);
    }

    /// <summary>
    /// Element 0 of a block [x, min, max, 0 …] quantized by <c>ggml_quantize_chunk</c> and read back by <c>dequantize_row_*</c> of llama.cpp's
    /// libggml-base (build v0.5.0, November 2026), without an importance matrix.
    /// </summary>
    [Theory]
    [MemberData(nameof(Ggml))]
    public void A_block_rounds_as_ggml_rounds(string format, double value, double min, double max, double expected) =>
        Assert.Equal(expected, Explain(format, (float)value, (float)min, (float)max).Result, 1e-6);

    public static TheoryData<string, double, double, double, double> Ggml => GgmlBlocks.Measured;

    [Theory]
    [InlineData("nf4", 0.3, 0.33791524171829224)]
    [InlineData("fp4_bnb", 0.3, 4f / 12)]
    [InlineData("mxfp8", 0.3, 0.3125)]
    [InlineData("nvfp4", 0.3, 1.5 * 0.171875)]
    public void A_block_of_largest_magnitude_one_rounds_to_its_codebook(string format, double value, double expected) =>
        Assert.Equal(expected, Explain(format, value, -1, 0.8).Result, 1e-7);

    [Fact]
    public void Every_format_is_explained_or_refused_with_a_reason()
    {
        foreach (var format in NumberFormats.All)
        {
            var options = new ExplanationOptions { Range = format == NumberFormats.E8M0 ? null : (-1, 1) };
            try
            {
                var walk = NumberExplanation.Of(format, 0.3, options);
                Assert.NotEmpty(walk.Steps);
                Assert.InRange(walk.Result, -1, 1);
            }
            catch (ExplanationRefusedException refused)
            {
                Assert.StartsWith(format.Name, refused.Message);
                Assert.NotNull(refused.Hint);
            }
        }
    }

    [Fact]
    public void A_block_of_zeros_stays_zero()
    {
        foreach (var name in new[] { "q8_0", "q4_0", "q4_1", "q4_k", "q6_k", "iq4_nl", "nf4", "mxfp4", "nvfp4", "tq2_0" })
            Assert.Equal(0, Explain(name, 0, 0, 0).Result);
    }

    [Fact]
    public void Options_that_do_not_suit_are_refused()
    {
        Assert.Throws<ExplanationRefusedException>(() => Explain("int8", 1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("int8", double.NaN, -1, 1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("int8", 1, 1, -1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("int8", 1, -1, 1, scale: 1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("int8", 1, scale: -1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("int8", 1, scale: 1, zero: 1000));
        Assert.Throws<ExplanationRefusedException>(() => Explain("int8", 1, -1, 1, zero: 3));
        Assert.Throws<ExplanationRefusedException>(() => Explain("int64", 1, -1, 1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("fp16", 1, symmetric: true));
        Assert.Throws<ExplanationRefusedException>(() => Explain("fp8", 1, 0, 0));
        Assert.Throws<ExplanationRefusedException>(() => Explain("q4_0", 1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("q4_0", 2, -1, 1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("q4_0", 1, scale: 1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("q4_0", 1e30, 0, 1e30));
        Assert.Throws<ExplanationRefusedException>(() => Explain("e8m0", -1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("c64", 1));
        Assert.Throws<ExplanationRefusedException>(() => Explain("iq2_xs", 0.1, -1, 1));
    }
}
