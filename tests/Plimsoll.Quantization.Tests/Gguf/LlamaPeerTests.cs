using Plimsoll.Testing.Peers;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>The reference itself: what it must do before anything is compared with it.</summary>
public sealed class LlamaPeerTests
{
    [Fact]
    public void The_reference_loads_tokenizes_and_predicts()
    {
        using var llama = Llama.Load(SharedData.Require("models/stories260k/stories260K-f32.gguf"));
        Assert.Equal(512, llama.VocabularySize);
        Assert.Equal("llama", llama.Metadata("general.architecture"));

        var tokens = llama.Tokenize("Once upon a time, there was a little girl");
        Assert.Equal(1, tokens[0]);
        var logits = llama.Logits(tokens);

        Assert.Equal(tokens.Length, logits.Length);
        // After "Once upon a" comes "time".
        Assert.All(logits, row => Assert.All(row, value => Assert.True(float.IsFinite(value))));
        var at = Array.FindIndex(tokens, token => " time"u8.SequenceEqual(llama.Piece(token)));
        Assert.True(at > 0);
        Assert.Equal(tokens[at], Array.IndexOf(logits[at - 1], logits[at - 1].Max()));
    }

    [Fact]
    public void The_reference_says_why_it_refuses_a_file()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("broken.gguf", "GGUF nonsense");
        var failure = Assert.Throws<InvalidDataException>(() => Llama.Load(path));
        Assert.Contains("gguf", failure.Message, StringComparison.OrdinalIgnoreCase);
    }
}
