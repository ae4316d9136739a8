using Plimsoll.Runtime;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Saving;
using static TorchSharp.torch;

namespace Plimsoll.Torch.Tests.Decoders;

public class DecoderTests
{
    public static TheoryData<string> Families => [.. TinyModels.Families];

    /// <summary>The CPU runtime is compared with llama.cpp and transformers in its own tests.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void Logits_are_those_of_the_CPU_runtime(string family)
    {
        using var folder = new TemporaryFolder();
        folder.Write("config.json", TinyModels.Config(family));
        using var scope = NewDisposeScope();
        using var decoder = TinyModels.Create(family);
        var (tokens, _) = TinyModels.Batch(1, 12);
        TensorFile.Write(folder.File("model.safetensors"), decoder.Weights.Select(weight => SavedTensor.Of(weight.Name, weight.Value)), []);

        using var model = TransformerModel.Load(folder.Path);
        using var session = model.CreateSession(new() { Context = 12, KeyValueFormat = Numerics.NumberFormats.Fp32 });
        var expected = new float[12 * 64];
        session.Forward([.. tokens.data<long>().Select(token => (int)token)], expected);

        var actual = Logits(decoder, tokens).data<float>().ToArray();
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-4f));
        Assert.True(expected.Max() - expected.Min() > 0.5f, "the logits hardly differ: the comparison shows nothing");
    }

    [Fact]
    public void An_architecture_with_other_parts_is_refused_by_name()
    {
        var failure = Assert.Throws<Models.UnknownArchitectureException>(() => TinyModels.Describe("""
            {"model_type":"gpt2","n_embd":32,"n_layer":2,"n_head":4,"vocab_size":64,"n_positions":64}
            """));
        Assert.Contains("gpt2", failure.Message, StringComparison.Ordinal);
        Assert.Contains("not trained here", failure.Message, StringComparison.Ordinal);
    }

    internal static Tensor Logits(Decoder decoder, Tensor tokens)
    {
        var hidden = decoder.Embed(tokens);
        for (var index = 0; index < decoder.Layers.Length; index++)
            hidden = decoder.Layer(index, hidden);
        return decoder.Logits(hidden);
    }
}
