using Plimsoll.Models;
using Plimsoll.Numerics.Linear;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Runtime.Tests;

public sealed class LayerWalkTests : IDisposable
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 24).Select(index => index * 29 % TinyModel.Vocabulary)];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("llama")]
    [InlineData("llama, tied")]
    [InlineData("gemma3")]
    [InlineData("mixtral")]
    [InlineData("phi3")]
    [InlineData("gpt2")]
    [InlineData("gptneox")]
    [InlineData("olmo2")]
    public void Layers_one_by_one_are_given_what_a_session_gives_them(string name)
    {
        var path = folder.Write("model.gguf", TinyModels.Create(name).File());
        var expected = new Inputs();
        using (var model = TransformerModel.Load(path))
        using (var session = model.CreateSession(new() { Context = Tokens.Length, Observer = expected }))
            session.Forward(Tokens, new float[Tokens.Length * TinyModel.Vocabulary]);

        var actual = new Inputs();
        using var walk = new LayerWalk(ModelLocator.FromPath(path), Tokens.Length, ComputePool.Single);
        var hidden = new float[Tokens.Length * walk.Settings.HiddenSize];
        walk.Embed(Tokens, hidden);
        for (; walk.Layer <= walk.Settings.Layers.Length; walk.Advance())
            walk.Run(hidden, actual);
        Assert.Equal(expected.Seen.Keys, actual.Seen.Keys);
        Assert.All(expected.Seen, input => Assert.Equal(input.Value, actual.Seen[input.Key]));
    }

    [Fact]
    public void Exchanged_weights_change_what_a_layer_gives_and_an_observer_that_has_enough_ends_it()
    {
        using var walk = new LayerWalk(ModelLocator.FromPath(folder.Write("model.gguf", TinyModels.Create("llama").File())), Tokens.Length, ComputePool.Single);
        var hidden = new float[Tokens.Length * walk.Settings.HiddenSize];
        walk.Embed(Tokens, hidden);
        var (own, ended) = (hidden.ToArray(), new Inputs { Last = "blk.0.attn_output.weight" });
        walk.Run(own, null);
        walk.Run(hidden.ToArray(), ended);
        Assert.DoesNotContain(ended.Seen.Keys, key => key.Tensor.Contains("ffn", StringComparison.Ordinal));
        walk.Exchange("blk.0.ffn_down.weight", new Half[walk.Settings.HiddenSize * walk.Settings.Layers[0].FeedForward]);
        walk.Run(hidden, null);
        Assert.NotEqual(own, hidden);
    }

    private sealed class Inputs : IInputObserver
    {
        public string? Last { get; init; }

        public bool IsSatisfied { get; private set; }

        public Dictionary<(string Tensor, int Expert), float[]> Seen { get; } = [];

        public void Observe(string tensor, int expert, ReadOnlySpan<float> inputs, int columns)
        {
            Seen[(tensor, expert)] = inputs.ToArray();
            IsSatisfied = tensor == Last;
        }
    }
}
