using Plimsoll.Numerics;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Runtime.Tests;

/// <summary>Really trained models make the text that llama.cpp v0.5.0 makes of them.</summary>
public sealed class TrainedModelTests
{
    [Theory]
    [InlineData("stories260k/stories260K-f32.gguf", 30)]
    [InlineData("stories260k/stories260K-F16.gguf", 30)]
    [InlineData("babyllama-tok105/babyllama-tok105-f32.gguf", 40)]
    public void Greedy_text_is_that_of_llama_cpp(string file, int count)
    {
        var path = SharedData.Require("models/" + file);
        using var peer = Llama.Load(path);
        List<int> expected = [.. peer.Tokenize("Once upon a time, there was a")];
        var prompt = expected.ToArray();
        for (var step = 0; step < count; step++)
            expected.Add(IndexOfLargest(peer.Logits(expected.ToArray())[^1]));

        using var model = TransformerModel.Load(path);
        using var session = model.CreateSession(new() { Context = 256, KeyValueFormat = NumberFormats.Fp32 });
        var logits = new float[session.VocabularySize];
        List<int> found = [.. prompt];
        session.Forward(prompt, logits);
        while (found.Count < expected.Count)
        {
            found.Add(IndexOfLargest(logits));
            session.Forward([found[^1]], logits);
        }
        Assert.Equal(expected, found);
    }

    private static int IndexOfLargest(float[] values) => Array.IndexOf(values, values.Max());
}
