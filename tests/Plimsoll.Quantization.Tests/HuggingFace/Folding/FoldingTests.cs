using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace;
using Plimsoll.Quantization.HuggingFace.Folding;
using Plimsoll.Quantization.Running;
using Plimsoll.Quantization.Tests.Gguf;
using Plimsoll.Runtime;

namespace Plimsoll.Quantization.Tests.HuggingFace.Folding;

public sealed class FoldingTests
{
    /// <summary>Two layers of each architecture that can be run, and how many groups of them can be rescaled.</summary>
    public static TheoryData<string, int> Architectures => new()
    {
        { "llama", 6 }, { "llama with as many keys as queries", 8 }, { "mistral", 6 }, { "mixtral", 10 }, { "smollm3", 6 }, { "granite", 6 }, { "qwen2", 6 }, { "qwen3", 6 }, { "qwen3_moe", 10 },
        { "gemma", 6 }, { "gemma2", 6 }, { "gemma3_text", 6 }, { "phi3", 6 }, { "gpt2", 0 }, { "gpt_neox", 4 }, { "stablelm", 2 }, { "olmo2", 2 },
    };

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Rescaling_changes_weights_and_no_output(string name, int groups)
    {
        var modelType = name.Split(' ')[0];
        var config = TinyConfigs.ByModelType[modelType];
        using var checkpoint = new RandomCheckpoint(name == modelType ? config : config.Replace("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4"), TinyConfigs.UsesSentencePiece(modelType));
        using var target = new TemporaryFolder();
        var located = ModelLocator.FromPath(checkpoint.Path);
        using var model = TransformerModel.Load(located);
        var source = SourceLayers.Open(located);
        var (folds, random) = (new Folds(), new Random(5));
        foreach (var group in FoldGroups.Find(source, model.Settings))
            folds.Add(group, [.. Enumerable.Range(0, (int)group.Consumers[0].Open().RowLength).Select(_ => MathF.Exp(2 * random.NextSingle() - 1))]);
        Assert.Equal(groups, folds.Count);

        var plan = HuggingFaceConversion.Plan(located, HuggingFaceRecipe.Find("fp32")! with { Folds = folds });
        QuantizationRunner.Run(plan, new() { Target = target.File("folded"), Recipe = "", SourceFiles = [], Threads = 2 }, CancellationToken.None);
        using var folded = TransformerModel.Load(target.File("folded"));
        var (expected, actual) = (Logits(model), Logits(folded));
        var largest = expected.Max(MathF.Abs);
        for (var token = 0; token < expected.Length; token++)
            Assert.True(Math.Abs(expected[token] - actual[token]) <= 2e-5f * largest, $"token {token}: {actual[token]} in place of {expected[token]}, of at most {largest}");
    }

    [Fact]
    public void A_norm_of_two_bytes_is_divided_by_what_it_can_hold_exactly()
    {
        using var model = new TinyCheckpoint();
        var source = SourceLayers.Open(ModelLocator.FromPath(model.Source));
        var norm = source.Parameters.Single(parameter => parameter.Storage.Name == "model.layers.0.input_layernorm.weight");
        var query = source.Parameters.Single(parameter => parameter.Storage.Module.EndsWith("q_proj", StringComparison.Ordinal));
        var folds = new Folds();
        folds.Add(new(norm, null, [query]) { IsNorm = true }, [.. Enumerable.Repeat(3f, TinyCheckpoint.Hidden)]);
        var (values, scales) = (new float[TinyCheckpoint.Hidden], folds.ScalesOf(query.Storage.Name)!);
        folds.Apply(norm.Open()).ReadRows(0, values);
        // A third in BF16 is 0.333984375, of which one is 2.994152…
        Assert.All(values, value => Assert.Equal(0.333984375f, value, 1e-7f));
        Assert.All(scales, scale => Assert.Equal(1 / 0.333984375f, scale, 1e-6f));
    }

    private static float[] Logits(TransformerModel model)
    {
        int[] tokens = [3, 17, 101, 255, 7];
        using var session = model.CreateSession(new() { Context = tokens.Length, KeyValueFormat = NumberFormats.Fp32 });
        var logits = new float[tokens.Length * model.Settings.VocabularySize];
        session.Forward(tokens, logits);
        return logits;
    }
}
