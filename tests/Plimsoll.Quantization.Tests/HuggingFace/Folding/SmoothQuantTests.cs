using Plimsoll.Models;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.HuggingFace.Folding;
using Plimsoll.Quantization.Running;
using Plimsoll.Runtime.Settings;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.HuggingFace.Folding;

public sealed class SmoothQuantTests : IDisposable
{
    private const string Layer = "model.layers.0.";
    private const int Hidden = TinyCheckpoint.Hidden;
    private const int Count = 100;

    private readonly TinyCheckpoint model = new();
    private readonly Folds folds;
    private readonly TensorFile written;

    public SmoothQuantTests()
    {
        var collector = new InputCollector(keepsGrams: false, threads: 1);
        foreach (var (module, _, inputs) in TinyCheckpoint.Layers)
            collector.Observe(module + ".weight", 0, Inputs(inputs, seed: 1), inputs);
        var located = ModelLocator.FromPath(model.Source);
        var calibrated = HuggingFaceRecipe.Find("ct:w8a8")! with { Method = LayerMethod.SmoothQuant, Inputs = CalibratedInputs.Create(collector, threads: 1, _ => { }, CancellationToken.None) };
        folds = FoldSearch.Run(located, calibrated, Settings, threads: 1, _ => { }, CancellationToken.None);
        QuantizationRunner.Run(HuggingFaceConversion.Plan(located, calibrated with { Folds = folds }), new() { Target = model.Target, Recipe = "smooth", SourceFiles = [], Threads = 2 }, CancellationToken.None);
        written = TensorFile.Read(model.Target);
    }

    private static TransformerSettings Settings => new()
    {
        Architecture = "llama", HiddenSize = Hidden, VocabularySize = 64, NormEpsilon = 1e-5f,
        Layers = [new() { Heads = 4, KeyValueHeads = 4, HeadDim = 32, ScoreScale = 1, FeedForward = TinyCheckpoint.Width }],
    };

    [Theory]
    [InlineData("self_attn.q_proj")]
    [InlineData("self_attn.k_proj")]
    [InlineData("self_attn.v_proj")]
    [InlineData("mlp.gate_proj")]
    [InlineData("mlp.up_proj")]
    public void Products_of_bytes_lose_less_than_without_smoothing(string reader)
    {
        using var plain = new TinyCheckpoint();
        var nearest = plain.Convert("ct:w8a8", out _);
        var (original, unseen, scales) = (model.Original.Floats($"{Layer}{reader}.weight"), Inputs(Hidden, seed: 2), folds.ScalesOf($"{Layer}{reader}.weight")!);
        var before = Error(original, PublishedArithmetic.Int8(nearest, Layer + reader), unseen, [.. Enumerable.Repeat(1f, Hidden)]);
        var after = Error(original, PublishedArithmetic.Int8(written, Layer + reader), unseen, scales);
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
            var weights = model.Original.Floats($"{Layer}{reader}.weight");
            for (var at = 0; at < weights.Length; at++)
                largestWeights[at % Hidden] = Math.Max(largestWeights[at % Hidden], Math.Abs(weights[at]));
        }
        // Norms are ones in BF16, whose step is at most a 256th.
        var scales = folds.ScalesOf($"{Layer}{readers[0]}.weight")!;
        var strengths = Enumerable.Range(0, 21).Where(point => Enumerable.Range(0, Hidden).All(column =>
            Math.Abs(scales[column] / (Math.Pow(largestInputs[column], point / 20.0) / Math.Pow(largestWeights[column], 1 - point / 20.0)) - 1) < 1 / 250.0));
        Assert.Single(strengths);
    }

    [Fact]
    public void Only_what_norms_feed_is_smoothed()
    {
        Assert.Equal(2, folds.Count);
        Assert.Null(folds.ScalesOf($"{Layer}self_attn.o_proj.weight"));
        Assert.Null(folds.ScalesOf($"{Layer}mlp.down_proj.weight"));
    }

    public void Dispose() => model.Dispose();

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
