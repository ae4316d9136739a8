namespace Plimsoll.Numerics.Tests;

public class NumberFormatsTests
{
    /// <summary>Name, id, elements, bytes as <c>ggml_type_name</c>, <c>ggml_blck_size</c> and <c>ggml_type_size</c> of llama.cpp's libggml-base (build v0.5.0, November 2026) give them.</summary>
    public static TheoryData<string, int, int, int> Ggml => new()
    {
        { "f32", 0, 1, 4 }, { "f16", 1, 1, 2 }, { "q4_0", 2, 32, 18 }, { "q4_1", 3, 32, 20 }, { "q5_0", 6, 32, 22 }, { "q5_1", 7, 32, 24 },
        { "q8_0", 8, 32, 34 }, { "q8_1", 9, 32, 36 }, { "q2_K", 10, 256, 84 }, { "q3_K", 11, 256, 110 }, { "q4_K", 12, 256, 144 },
        { "q5_K", 13, 256, 176 }, { "q6_K", 14, 256, 210 }, { "q8_K", 15, 256, 292 }, { "iq2_xxs", 16, 256, 66 }, { "iq2_xs", 17, 256, 74 },
        { "iq3_xxs", 18, 256, 98 }, { "iq1_s", 19, 256, 50 }, { "iq4_nl", 20, 32, 18 }, { "iq3_s", 21, 256, 110 }, { "iq2_s", 22, 256, 82 },
        { "iq4_xs", 23, 256, 136 }, { "i8", 24, 1, 1 }, { "i16", 25, 1, 2 }, { "i32", 26, 1, 4 }, { "i64", 27, 1, 8 }, { "f64", 28, 1, 8 },
        { "iq1_m", 29, 256, 56 }, { "bf16", 30, 1, 2 }, { "tq1_0", 34, 256, 54 }, { "tq2_0", 35, 256, 66 }, { "mxfp4", 39, 32, 17 },
        { "nvfp4_ggml", 40, 64, 36 }, { "q1_0", 41, 128, 18 }, { "q2_0", 42, 64, 18 },
    };

    [Theory]
    [MemberData(nameof(Ggml))]
    public void Every_ggml_type_has_its_block(string name, int id, int elements, int bytes)
    {
        var format = NumberFormats.FromGgmlType(id);
        Assert.NotNull(format);
        Assert.Equal(elements, format.BlockLength);
        Assert.Equal(bytes, format.BlockBytes);
        Assert.Same(format, NumberFormats.Find(name));
    }

    [Fact]
    public void Ids_that_ggml_removed_or_never_had_are_unknown()
    {
        int[] known = [.. Ggml.Select(row => row.Data.Item2)];
        Assert.Equal(known, Enumerable.Range(-5, 300).Where(id => NumberFormats.FromGgmlType(id) is not null));
        Assert.Null(NumberFormats.FromGgmlType(int.MaxValue));
    }

    /// <summary>The dtypes of the safetensors crate (safetensors/src/tensor.rs) with their bits.</summary>
    [Theory]
    [InlineData("BOOL", 8)]
    [InlineData("F4", 4)]
    [InlineData("F6_E2M3", 6)]
    [InlineData("F6_E3M2", 6)]
    [InlineData("U8", 8)]
    [InlineData("I8", 8)]
    [InlineData("F8_E5M2", 8)]
    [InlineData("F8_E4M3", 8)]
    [InlineData("F8_E8M0", 8)]
    [InlineData("F8_E4M3FNUZ", 8)]
    [InlineData("F8_E5M2FNUZ", 8)]
    [InlineData("I16", 16)]
    [InlineData("U16", 16)]
    [InlineData("F16", 16)]
    [InlineData("BF16", 16)]
    [InlineData("I32", 32)]
    [InlineData("U32", 32)]
    [InlineData("F32", 32)]
    [InlineData("C64", 64)]
    [InlineData("F64", 64)]
    [InlineData("I64", 64)]
    [InlineData("U64", 64)]
    public void Every_safetensors_dtype_has_its_bits(string type, int bits) => Assert.Equal(bits, NumberFormats.FromSafetensorsType(type)?.BitsPerWeight);

    [Fact]
    public void No_other_safetensors_dtype_is_known()
    {
        Assert.Equal(22, NumberFormats.All.Count(format => format.SafetensorsType is not null));
        Assert.Null(NumberFormats.FromSafetensorsType("F128"));
        Assert.Null(NumberFormats.FromSafetensorsType(""));
    }

    [Fact]
    public void No_two_formats_share_a_name_or_alias()
    {
        var names = NumberFormats.Names.ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(names, name => Assert.NotNull(NumberFormats.Find(name)));
        Assert.All(NumberFormats.All.SelectMany(format => format.Aliases), alias => Assert.Equal(alias.ToLowerInvariant(), alias));
    }

    [Theory]
    [InlineData("fp16", "FP16")]
    [InlineData("Half", "FP16")]
    [InlineData("float16", "FP16")]
    [InlineData("BFLOAT16", "BF16")]
    [InlineData("e4m3", "FP8_E4M3")]
    [InlineData("fp8", "FP8_E4M3")]
    [InlineData("fp8-e5m2", "FP8_E5M2")]
    [InlineData("float8_e4m3fn", "FP8_E4M3")]
    [InlineData("int8", "INT8")]
    [InlineData("8bit", "INT8")]
    [InlineData("8-bit", "INT8")]
    [InlineData("4bit", "INT4")]
    [InlineData("q4_k", "Q4_K")]
    [InlineData("q4-k", "Q4_K")]
    [InlineData(" nf4 ", "NF4")]
    [InlineData("nf4-dq", "NF4_DQ")]
    [InlineData("e2m1", "FP4")]
    [InlineData("nvfp4", "NVFP4")]
    public void What_people_type_is_found(string typed, string name) => Assert.Equal(name, NumberFormats.Find(typed)?.Name);

    [Theory]
    [InlineData("")]
    [InlineData("fp17")]
    [InlineData("q4_k_m")]
    public void What_is_no_format_is_not_found(string typed) => Assert.Null(NumberFormats.Find(typed));

    [Theory]
    [InlineData("NF4", 4.5)]
    [InlineData("NF4_DQ", 4 + 8.0 / 64 + 32.0 / (64 * 256))]
    [InlineData("FP4_BNB", 4.5)]
    [InlineData("MXFP4", 4.25)]
    [InlineData("MXFP6", 6.25)]
    [InlineData("MXFP8", 8.25)]
    [InlineData("NVFP4", 4.5)]
    [InlineData("INT4", 4)]
    [InlineData("INT3", 3)]
    [InlineData("INT2", 2)]
    [InlineData("Q4_K", 4.5)]
    [InlineData("Q6_K", 6.5625)]
    [InlineData("IQ1_S", 1.5625)]
    public void Bits_per_weight_include_the_scales(string name, double bits) => Assert.Equal(bits, NumberFormats.Find(name)!.BitsPerWeight);

    /// <summary>LitGPT's table for Llama-2-7B says NF4 with double quantization saves 0.31 GB over its 6.61 billion quantized weights.</summary>
    [Fact]
    public void Double_quantization_saves_what_was_measured()
    {
        const long quantized = 32L * (4 * 4096 * 4096 + 3 * 4096 * 11008) + 32000 * 4096;
        var saved = NumberFormats.Nf4.BytesFor(quantized) - NumberFormats.Nf4DoubleQuantized.BytesFor(quantized);
        Assert.Equal(0.31, Math.Round(saved / 1e9, 2));
    }

    [Theory]
    [InlineData("Q4_K", 4096, 2304)]
    [InlineData("INT4", 7, 4)]
    [InlineData("NVFP4", 17, 18)]
    [InlineData("BF16", 0, 0)]
    public void A_row_takes_whole_blocks(string name, long elements, long bytes) => Assert.Equal(bytes, NumberFormats.Find(name)!.BytesFor(elements));

    [Fact]
    public void A_row_that_no_memory_holds_overflows()
    {
        Assert.Throws<OverflowException>(() => NumberFormats.Fp32.BytesFor(long.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => NumberFormats.Fp32.BytesFor(-1));
        Assert.Equal(long.MaxValue / 2 + 1, NumberFormats.Int4.BytesFor(long.MaxValue));
    }

    /// <summary>IEEE 754, the OCP specifications and the FNUZ definitions, written out.</summary>
    [Theory]
    [InlineData("FP64", 1.7976931348623157e308, 2.2250738585072014e-308, 4.9406564584124654e-324)]
    [InlineData("FP32", 3.4028234663852886e38, 1.1754943508222875e-38, 1.401298464324817e-45)]
    [InlineData("TF32", 3.4011621342146535e38, 1.1754943508222875e-38, 1.1479437019748901e-41)]
    [InlineData("FP16", 65504, 6.103515625e-05, 5.960464477539063e-08)]
    [InlineData("BF16", 3.3895313892515355e38, 1.1754943508222875e-38, 9.183549615799121e-41)]
    [InlineData("FP8_E4M3", 448, 0.015625, 0.001953125)]
    [InlineData("FP8_E5M2", 57344, 6.103515625e-05, 1.52587890625e-05)]
    [InlineData("FP8_E4M3FNUZ", 240, 0.0078125, 0.0009765625)]
    [InlineData("FP8_E5M2FNUZ", 57344, 3.0517578125e-05, 7.62939453125e-06)]
    [InlineData("FP6_E3M2", 28, 0.25, 0.0625)]
    [InlineData("FP6_E2M3", 7.5, 1, 0.125)]
    [InlineData("FP4", 6, 1, 0.5)]
    public void Float_formats_have_their_range(string name, double max, double minNormal, double minSubnormal)
    {
        var format = NumberFormats.Find(name)!;
        Assert.Equal(max, format.MaxValue);
        Assert.Equal(minNormal, format.MinNormal);
        Assert.Equal(minSubnormal, format.MinSubnormal);
    }

    [Fact]
    public void E8M0_ranges_over_the_powers_of_two_of_FP32()
    {
        Assert.Equal(Math.Pow(2, 127), NumberFormats.E8M0.MaxValue);
        Assert.Equal(Math.Pow(2, -127), NumberFormats.E8M0.MinNormal);
        Assert.Null(NumberFormats.E8M0.MinSubnormal);
    }

    [Fact]
    public void Published_figures_belong_to_known_formats_and_are_sorted()
    {
        Assert.All(PublishedQuality.Llama3, row => Assert.Equal(row.MainFormat, NumberFormats.Find(row.MainFormat)?.Name));
        Assert.Equal(PublishedQuality.Llama3.OrderBy(row => row.KlDivergence), PublishedQuality.Llama3);
        Assert.Equal(4, PublishedQuality.Of(NumberFormats.Find("q4_k")!).Count());
        Assert.Empty(PublishedQuality.Of(NumberFormats.Bf16));
    }
}
