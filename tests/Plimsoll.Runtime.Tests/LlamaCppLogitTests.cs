using Plimsoll.Numerics;
using Plimsoll.Testing.Builders;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Runtime.Tests;

/// <summary>Logits of tiny random models against llama.cpp v0.5.0 (<c>libllama.so</c>), every position of a sequence longer than the windows.</summary>
public sealed class LlamaCppLogitTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 40).Select(index => index * index * 7 % TinyModel.Vocabulary)];

    [Theory]
    [InlineData("llama")]
    [InlineData("llama, tied")]
    [InlineData("llama, linear rope")]
    [InlineData("llama, yarn rope")]
    [InlineData("llama, rope factors")]
    [InlineData("llama, biases")]
    [InlineData("mixtral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("qwen3moe")]
    [InlineData("gemma")]
    [InlineData("gemma2")]
    [InlineData("gemma3")]
    [InlineData("phi3")]
    [InlineData("phi3, longrope")]
    [InlineData("gpt2")]
    [InlineData("gptneox")]
    [InlineData("gptneox, sequential")]
    [InlineData("stablelm")]
    [InlineData("stablelm, 12B")]
    [InlineData("olmo2")]
    [InlineData("olmo3")]
    [InlineData("granite")]
    [InlineData("smollm3")]
    public void Logits_of_every_architecture_are_those_of_llama_cpp(string name)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("model.gguf", TinyModels.Create(name).File());
        using var peer = Llama.Load(path);
        var expected = peer.Logits(Tokens);

        using var model = TransformerModel.Load(path);
        // The peer's context is a multiple of 256 tokens, which LongRoPE chooses its factors by.
        using var session = model.CreateSession(new() { Context = 256, KeyValueFormat = NumberFormats.Fp32 });
        var logits = new float[Tokens.Length * TinyModel.Vocabulary];
        session.Forward(Tokens, logits);

        // llama.cpp looks GELU up in a table of FP16, which alone moves logits of this size by 2e-3.
        var largest = expected.SelectMany(row => row).Max(Math.Abs);
        var worst = expected.SelectMany(row => row).Zip(logits, (theirs, ours) => Math.Abs(theirs - ours)).Max();
        Assert.True(largest > 0.5, "logits that are all near zero prove nothing");
        Assert.True(worst < 1e-3 * largest, $"{name}: logits of up to {largest} differ by up to {worst}");
    }
}
