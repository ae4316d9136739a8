using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Numerics.Tests.Blocks;

/// <summary>The best mode: the same format and bytes, a smaller weighted error than ggml's.</summary>
public class BestModeTests
{
    private const int RowLength = 512;

    public static TheoryData<string> Codecs => new(BlockCodecs.All.Select(codec => codec.Format.Name));

    [Theory]
    [MemberData(nameof(Codecs))]
    public void No_block_gets_worse(string name)
    {
        var codec = BlockCodecs.Find(NumberFormats.Find(name)!)!;
        Assert.All(WeightSamples.Kinds.Keys, kind =>
        {
            var values = WeightSamples.Create(kind, 4 * RowLength);
            foreach (var importance in (float[][])[[], WeightSamples.Importance(RowLength)])
            {
                if (importance.Length == 0 && codec.Importance == ImportanceUse.Required)
                    continue;
                var exact = Errors(codec, values, importance, BlockSearch.Exact);
                var best = Errors(codec, values, importance, BlockSearch.Best);
                // Searches add in FP32. A block whose scale overflows FP16 has no error to compare.
                Assert.All(exact.Zip(best), pair => Assert.True(!double.IsFinite(pair.First) || pair.Second <= pair.First * (1 + 1e-5), $"{kind}: {pair.First} became {pair.Second}"));
            }
        });
    }

    /// <summary>Weights of 0.01 times Student's t with 4 degrees of freedom, importances the exponential of standard normal numbers.</summary>
    [Theory]
    [InlineData("Q4_0", 0.05)]
    [InlineData("Q5_0", 0.05)]
    [InlineData("Q6_K", 0.03)]
    [InlineData("Q5_K", 0.06)]
    [InlineData("Q4_K", 0.02)]
    [InlineData("Q3_K", 0.02)]
    [InlineData("Q2_K", 0.05)]
    [InlineData("IQ4_NL", 0.03)]
    [InlineData("IQ4_XS", 0.02)]
    [InlineData("MXFP4", 0.09)]
    [InlineData("NVFP4_GGML", 0.40)]
    public void Heavy_tailed_weights_lose_less(string name, double bar)
    {
        var codec = BlockCodecs.Find(NumberFormats.Find(name)!)!;
        var (values, importance) = HeavyTailed(64 * RowLength);
        var exact = Errors(codec, values, importance, BlockSearch.Exact).Sum();
        var best = ScaledErrors(codec, values, importance).Sum();
        Assert.InRange(1 - best / exact, bar, 1);
    }

    [Fact]
    public void The_scale_of_a_tensor_spares_the_scales_of_its_blocks_the_subnormal_numbers()
    {
        var codec = BlockCodecs.Find(NumberFormats.Find("NVFP4_GGML")!)!;
        var (values, importance) = HeavyTailed(64 * RowLength);
        Assert.Equal(values.Max(Math.Abs) / (6 * 448), codec.TensorScale(values.Max(Math.Abs)));
        Assert.InRange(ScaledErrors(codec, values, importance).Sum(), 0, 0.95 * Errors(codec, values, importance, BlockSearch.Best).Sum());
    }

    [Fact]
    public void A_tensor_of_zeros_and_a_format_without_tensor_scales_have_scale_one()
    {
        Assert.Equal(1, BlockCodecs.Find(NumberFormats.Find("NVFP4_GGML")!)!.TensorScale(0));
        Assert.Equal(1, BlockCodecs.Find(NumberFormats.Q4_0)!.TensorScale(3));
    }

    /// <summary>Σ importance · (value − decoded)² of each block.</summary>
    private static double[] Errors(BlockCodec codec, float[] values, float[] importance, BlockSearch search)
    {
        var blocks = new byte[codec.Format.BytesFor(values.Length)];
        var decoded = new float[values.Length];
        codec.Encode(values, RowLength, blocks, importance, search);
        codec.Decode(blocks, decoded);
        return Errors(codec, values, decoded, importance);
    }

    /// <summary>The same in best mode under the scale that the codec wants for the tensor.</summary>
    private static double[] ScaledErrors(BlockCodec codec, float[] values, float[] importance)
    {
        var scale = codec.TensorScale(values.Max(Math.Abs));
        var blocks = new byte[codec.Format.BytesFor(values.Length)];
        var decoded = new float[values.Length];
        codec.Encode([.. values.Select(value => value / scale)], RowLength, blocks, importance, BlockSearch.Best);
        codec.Decode(blocks, decoded);
        return Errors(codec, values, [.. decoded.Select(value => value * scale)], importance);
    }

    private static double[] Errors(BlockCodec codec, float[] values, float[] decoded, float[] importance)
    {
        var errors = new double[values.Length / codec.Format.BlockLength];
        for (var i = 0; i < values.Length; i++)
        {
            double difference = values[i] - decoded[i];
            errors[i / codec.Format.BlockLength] += (importance.Length == 0 ? 1 : importance[i % RowLength]) * difference * difference;
        }
        return errors;
    }

    private static (float[] Values, float[] Importance) HeavyTailed(int count)
    {
        var random = new Random(11);
        return ([.. Enumerable.Range(0, count).Select(_ => (float)(0.01 * StudentT()))], [.. Enumerable.Range(0, RowLength).Select(_ => (float)Math.Exp(Normal()))]);

        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

        double StudentT() => Normal() / Math.Sqrt(Enumerable.Range(0, 4).Sum(_ => Math.Pow(Normal(), 2)) / 4);
    }
}
