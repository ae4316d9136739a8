using Plimsoll.Quantization.HuggingFace;

namespace Plimsoll.Quantization.Tests.HuggingFace.Folding;

public sealed class SmoothQuantTests(SmoothQuantTests.Smoothed folder) : IClassFixture<SmoothQuantTests.Smoothed>
{
    private const string Layer = "model.layers.0.";
    private const int Hidden = TinyCheckpoint.Hidden;
    private const int Count = 100;

    public sealed class Smoothed() : RescaledFolder("ct:w8a8", LayerMethod.SmoothQuant, (_, columns) => Inputs(columns, seed: 1));

    [Theory]
    [InlineData("self_attn.q_proj")]
    [InlineData("self_attn.k_proj")]
    [InlineData("self_attn.v_proj")]
    [InlineData("mlp.gate_proj")]
    [InlineData("mlp.up_proj")]
    public void Products_of_bytes_lose_less_than_without_smoothing(string reader)
    {
        var (original, unseen, scales) = (folder.Original.Floats($"{Layer}{reader}.weight"), Inputs(Hidden, seed: 2), folder.Folds.ScalesOf($"{Layer}{reader}.weight")!);
        var before = Error(original, PublishedArithmetic.Int8(folder.Nearest, Layer + reader), unseen, [.. Enumerable.Repeat(1f, Hidden)]);
        var after = Error(original, PublishedArithmetic.Int8(folder.Written, Layer + reader), unseen, scales);
        Assert.True(after < 0.5 * before, $"{after} in place of {before}");
    }

    [Fact]
    public void Scales_are_those_of_the_published_formula_for_one_strength()
    {
        var inputs = Inputs(Hidden, seed: 1);
        string[] readers = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
        var (largestInputs, largestWeights) = (new double[Hidden], new double[Hidden]);
        for (var at = 0; at < inputs.Length; at++)
            largestInputs[at % Hidden] = Math.Max(largestInputs[at % Hidden], Math.Abs(inputs[at]));
        foreach (var reader in readers)
        {
            var weights = folder.Original.Floats($"{Layer}{reader}.weight");
            for (var at = 0; at < weights.Length; at++)
                largestWeights[at % Hidden] = Math.Max(largestWeights[at % Hidden], Math.Abs(weights[at]));
        }
        // Norms are ones in BF16, whose step is at most a 256th.
        var scales = folder.Folds.ScalesOf($"{Layer}{readers[0]}.weight")!;
        var strengths = Enumerable.Range(0, 21).Where(point => Enumerable.Range(0, Hidden).All(column =>
            Math.Abs(scales[column] / (Math.Pow(largestInputs[column], point / 20.0) / Math.Pow(largestWeights[column], 1 - point / 20.0)) - 1) < 1 / 250.0));
        Assert.Single(strengths);
    }

    [Fact]
    public void Only_what_norms_feed_is_smoothed()
    {
        Assert.Equal(2, folder.Folds.Count);
        Assert.Null(folder.Folds.ScalesOf($"{Layer}self_attn.o_proj.weight"));
        Assert.Null(folder.Folds.ScalesOf($"{Layer}mlp.down_proj.weight"));
    }

    /// <summary>Σ over tokens and rows of the squared error, inputs rounded to bytes token by token.</summary>
    private static double Error(float[] original, float[] stored, float[] inputs, float[] scales)
    {
        var total = 0.0;
        for (var input = 0; input < inputs.Length; input += Hidden)
        {
            double[] divided = [.. Enumerable.Range(0, Hidden).Select(column => (double)inputs[input + column] / scales[column])];
            var step = divided.Max(Math.Abs) / 127;
            for (var row = 0; row < original.Length; row += Hidden)
            {
                var difference = 0.0;
                for (var column = 0; column < Hidden; column++)
                    difference += original[row + column] * (double)inputs[input + column] - stored[row + column] * step * Math.Round(divided[column] / step);
                total += difference * difference;
            }
        }
        return total;
    }

    /// <summary>Every sixteenth column is sixty times as large as the others.</summary>
    private static float[] Inputs(int columns, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Count * columns).Select(at => (random.NextSingle() + random.NextSingle() - 1) * (at % columns % 16 == 5 ? 60 : 1))];
    }
}
