using Plimsoll.Models;
using Plimsoll.Quantization.Calibration;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.HuggingFace.Folding;
using Plimsoll.Quantization.Running;
using Plimsoll.Quantization.Tests.ErrorFeedback;
using Plimsoll.Runtime.Settings;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.HuggingFace.Folding;

public sealed class AwqTests : IDisposable
{
    private const string Layer = "model.layers.0.";
    private const int Count = 200;
    private const int Group = 32;

    private static readonly Dictionary<string, string[]> Readers = new()
    {
        ["attention"] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], ["heads"] = ["self_attn.o_proj"], ["feed forward"] = ["mlp.gate_proj", "mlp.up_proj"], ["middle"] = ["mlp.down_proj"],
    };

    private readonly TinyCheckpoint model = new();
    private readonly HuggingFaceRecipe recipe;
    private readonly TensorFile written;

    public AwqTests()
    {
        var collector = new InputCollector(keepsGrams: true, threads: 2);
        foreach (var (name, readers) in Readers)
        {
            foreach (var reader in readers)
                collector.Observe($"{Layer}{reader}.weight", 0, Inputs(name, seed: 1), Columns(name));
        }
        var located = ModelLocator.FromPath(model.Source);
        var calibrated = HuggingFaceRecipe.Find("awq:4bit-g32")! with { Method = LayerMethod.Awq, Inputs = CalibratedInputs.Create(collector, threads: 2, _ => { }, CancellationToken.None) };
        recipe = calibrated with { Folds = FoldSearch.Run(located, calibrated, Settings, threads: 2, _ => { }, CancellationToken.None) };
        QuantizationRunner.Run(HuggingFaceConversion.Plan(located, recipe), new() { Target = model.Target, Recipe = "awq", SourceFiles = [], Threads = 2 }, CancellationToken.None);
        written = TensorFile.Read(model.Target);
    }

    private static TransformerSettings Settings => new()
    {
        Architecture = "llama", HiddenSize = TinyCheckpoint.Hidden, VocabularySize = 64, NormEpsilon = 1e-5f,
        Layers = [new() { Heads = 4, KeyValueHeads = 4, HeadDim = 32, ScoreScale = 1, FeedForward = TinyCheckpoint.Width }],
    };

    [Theory]
    [InlineData("attention")]
    [InlineData("heads")]
    [InlineData("feed forward")]
    [InlineData("middle")]
    public void Outputs_for_inputs_that_were_not_seen_have_a_lower_error_than_rounded_to_nearest(string name)
    {
        using var plain = new TinyCheckpoint();
        var nearest = plain.Convert("awq:4bit-g32", out _);
        var (unseen, columns) = (Inputs(name, seed: 2), Columns(name));
        foreach (var reader in Readers[name])
        {
            var scales = recipe.Folds!.ScalesOf($"{Layer}{reader}.weight")!;
            var original = Original(reader);
            // The values are divided by what the rows of their own projection became; for that only the inputs of this layer count.
            var rescaled = PublishedArithmetic.Awq(written, Layer + reader).Select((weight, at) => weight / scales[at % columns]).ToArray();
            var rows = RowFactors(reader);
            for (var at = 0; at < rescaled.Length; at++)
                rescaled[at] *= rows[at / columns];
            var (before, after) = (SyntheticLayer.OutputError(original, PublishedArithmetic.Awq(nearest, Layer + reader), unseen, columns), SyntheticLayer.OutputError(original, rescaled, unseen, columns));
            Assert.True(after < 0.95 * before, $"{reader}: {after} in place of {before}");
        }
    }

    [Theory]
    [InlineData("attention")]
    [InlineData("feed forward")]
    public void Codes_are_those_of_the_published_algorithm(string name)
    {
        var (inputs, columns) = (Inputs(name, seed: 1), Columns(name));
        // The norms are ones in BF16: what is left of one, divided and rounded, says by how much.
        var scales = PublishedAwq.Scales([.. Readers[name].Select(Original)], inputs, columns, Group, scale => 1 / Bf16(1 / scale));
        double[][] divided = [.. Enumerable.Range(0, Count).Select(input => Enumerable.Range(0, columns).Select(column => inputs[input * columns + column] / scales[column]).ToArray())];
        var reader = Readers[name][^1];
        var (original, zeroed) = (Original(reader), PublishedArithmetic.AwqCodes(written, Layer + reader));
        var rows = RowFactors(reader);
        var near = 0;
        for (var row = 0; row < 24; row++)
        {
            var expected = PublishedAwq.Codes([.. Enumerable.Range(0, columns).Select(column => original[row * columns + column] * scales[column] / rows[row])], divided, Group, isCut: true);
            near += Enumerable.Range(0, columns).Count(column => Math.Abs(expected[column] - zeroed[row * columns + column]) <= 1);
        }
        Assert.InRange(near / (24.0 * columns), 0.995, 1);
    }

    public void Dispose() => model.Dispose();

    private float[] Original(string reader) => model.Original.Floats($"{Layer}{reader}.weight");

    /// <summary>What the rows of a layer were divided by because the next layer's columns were multiplied.</summary>
    private float[] RowFactors(string reader)
    {
        var next = reader switch { "self_attn.v_proj" => "self_attn.o_proj", "mlp.up_proj" => "mlp.down_proj", _ => null };
        return next is null ? [.. Enumerable.Repeat(1f, TinyCheckpoint.Width)] : recipe.Folds!.ScalesOf($"{Layer}{next}.weight") ?? [.. Enumerable.Repeat(1f, TinyCheckpoint.Width)];
    }

    private static int Columns(string name) => name == "middle" ? TinyCheckpoint.Width : TinyCheckpoint.Hidden;

    /// <summary>Every ninth column is ten times as large as the others: what AWQ was made for.</summary>
    private static float[] Inputs(string name, int seed)
    {
        var random = new Random(seed + name.Length);
        return [.. Enumerable.Range(0, Count * Columns(name)).Select(at => (random.NextSingle() + random.NextSingle() - 1) * (at % Columns(name) % 9 == 4 ? 10 : 1))];
    }

    private static double Bf16(double value) => BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits((float)value) + 0x8000) & 0xFFFF0000);
}
