using Plimsoll.Numerics;
using Plimsoll.Numerics.Linear;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Runtime.Tests;

/// <summary>Laws of a sequence, whatever the model computes.</summary>
public sealed class SessionTests : IDisposable
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 48).Select(index => index * 29 % TinyModel.Vocabulary)];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("llama", "FP32", 1)]
    [InlineData("llama", "FP16", 7)]
    [InlineData("gemma3", "FP32", 5)]
    [InlineData("olmo3", "BF16", 1)]
    [InlineData("mixtral", "FP32", 16)]
    [InlineData("phi3", "FP32", 1)]
    [InlineData("qwen3", "Q8_0", 3)]
    public void Logits_do_not_depend_on_how_tokens_are_cut_into_batches(string name, string format, int batch)
    {
        using var model = Load(name);
        var whole = Logits(model, new() { Context = 64, KeyValueFormat = NumberFormats.Find(format)! });
        var parts = Logits(model, new() { Context = 64, KeyValueFormat = NumberFormats.Find(format)!, Batch = batch });
        AssertClose(whole, parts, format == "Q8_0" ? 0.05 : 2e-3);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    public void Logits_that_are_asked_for_are_the_last_ones_of_all(string name)
    {
        using var model = Load(name);
        var all = Logits(model, new() { Context = 64 });
        using var session = model.CreateSession(new() { Context = 64, Batch = 10 });
        var last = new float[13 * TinyModel.Vocabulary];
        session.Forward(Tokens, last);
        AssertClose(all[^last.Length..], last, 1e-3);
    }

    [Theory]
    [InlineData("FP32", 1e-6)]
    [InlineData("FP16", 0.01)]
    [InlineData("BF16", 0.05)]
    [InlineData("Q8_0", 0.05)]
    [InlineData("Q4_0", 0.5)]
    public void A_smaller_cache_changes_logits_little(string format, double bound)
    {
        using var model = Load("qwen3");
        var exact = Logits(model, new() { Context = 64, KeyValueFormat = NumberFormats.Fp32 });
        var rounded = Logits(model, new() { Context = 64, KeyValueFormat = NumberFormats.Find(format)! });
        AssertClose(exact, rounded, bound);
        Assert.Equal(format == "FP32", exact.AsSpan().SequenceEqual(rounded));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("mixtral")]
    public void A_tensor_can_be_exchanged_and_comes_back(string name)
    {
        using var model = Load(name);
        var own = Logits(model, new() { Context = 64 });
        var tensor = model.Weights.Layers[0].Linears.Last().Name;
        using (model.Substitute(tensor, (matrix, _) => PackedMatrices.Create(NumberFormats.Fp32, matrix.Rows, matrix.Columns, (_, bytes) => bytes.Clear())))
            Assert.NotEqual(own, Logits(model, new() { Context = 64 }));
        Assert.Equal(own, Logits(model, new() { Context = 64 }));
    }

    [Fact]
    public void A_window_that_is_longer_than_the_text_changes_nothing()
    {
        var narrow = TinyModels.Gemma2(window: 200);
        var wide = TinyModels.Gemma2(window: 100_000);
        using var first = TransformerModel.Load(folder.Write("a.gguf", narrow.File()));
        using var second = TransformerModel.Load(folder.Write("b.gguf", wide.File()));
        Assert.Equal(Logits(second, new() { Context = 64 }), Logits(first, new() { Context = 64 }));
    }

    [Fact]
    public void A_sliding_window_keeps_only_the_cells_that_can_be_seen()
    {
        using var model = Load("gemma2");
        using var session = model.CreateSession(new() { Context = 1000, Batch = 16, KeyValueFormat = NumberFormats.Fp32 });
        // 2 layers of the whole context and 2 of a window of 8 behind a batch of 16: keys and values of 2 heads of 16.
        Assert.Equal((2 * 1000 + 2 * (8 + 16 - 1)) * 2 * 2 * 16 * 4, session.CacheBytes);
    }

    [Fact]
    public void A_sequence_can_be_taken_back_and_told_differently()
    {
        using var model = Load("llama");
        using var session = model.CreateSession(new() { Context = 64 });
        var (first, again) = (new float[TinyModel.Vocabulary], new float[TinyModel.Vocabulary]);
        session.Forward(Tokens, first);
        session.Rewind(20);
        session.Forward([1, 2, 3], []);
        session.Rewind(20);
        session.Forward(Tokens.AsSpan(20), again);
        AssertClose(first, again, 1e-3);
        session.Rewind(0);
        Assert.Equal(0, session.Position);
    }

    [Fact]
    public void What_a_window_has_dropped_cannot_be_taken_back()
    {
        using var model = Load("gemma2");
        using var session = model.CreateSession(new() { Context = 64, Batch = 4 });
        session.Forward(Tokens, []);
        session.Rewind(46);
        Assert.Throws<InvalidOperationException>(() => session.Rewind(20));
        session.Rewind(0);
        session.Forward(Tokens, []);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gemma2")]
    [InlineData("mixtral")]
    public void Threads_change_nothing(string name)
    {
        var path = folder.Write("model.gguf", TinyModels.Create(name).File());
        using var one = TransformerModel.Load(path);
        using var pool = new Plimsoll.Numerics.Linear.ComputePool(3);
        using var three = TransformerModel.Load(path, pool);
        AssertClose(Logits(one, new() { Context = 64 }), Logits(three, new() { Context = 64 }), 1e-4);
    }

    [Fact]
    public void Wrong_calls_are_named()
    {
        using var model = Load("llama");
        using var session = model.CreateSession(new() { Context = 8 });
        Assert.Contains("token 320 is outside the vocabulary of 320", Assert.Throws<ArgumentOutOfRangeException>(() => session.Forward([1, 320], [])).Message, StringComparison.Ordinal);
        Assert.Contains("do not fit a context of 8", Assert.Throws<ArgumentException>(() => session.Forward(new int[9], [])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => session.Forward([1], new float[5]));
        Assert.Throws<ArgumentOutOfRangeException>(() => session.Rewind(1));
        Assert.Contains("multiple of 32", Assert.Throws<ArgumentOutOfRangeException>(() => model.CreateSession(new() { Context = 8, KeyValueFormat = NumberFormats.Q8_0 })).Message, StringComparison.Ordinal);
    }

    private static float[] Logits(TransformerModel model, SessionOptions options)
    {
        using var session = model.CreateSession(options);
        var logits = new float[Tokens.Length * TinyModel.Vocabulary];
        session.Forward(Tokens, logits);
        return logits;
    }

    private static void AssertClose(float[] expected, float[] found, double bound)
    {
        var worst = expected.Zip(found, (theirs, ours) => Math.Abs(theirs - ours)).Max();
        Assert.True(worst <= bound * expected.Max(Math.Abs), $"differ by up to {worst} of {expected.Max(Math.Abs)}");
    }

    private TransformerModel Load(string name) => TransformerModel.Load(folder.Write(name.Replace(' ', '-') + ".gguf", TinyModels.Create(name).File()));
}
