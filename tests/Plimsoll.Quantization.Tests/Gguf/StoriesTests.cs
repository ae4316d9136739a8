using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Really trained models, and the files that llama.cpp's own programs made of them (February 2025).</summary>
public sealed class StoriesTests
{
    private const string Stories = "models/stories260k/";

    [Theory]
    [InlineData("f32", "stories260K-f32.gguf")]
    [InlineData("f16", "stories260K-F16.gguf")]
    [InlineData("q4_k_m", "stories260K-Q4_K_M.gguf")]
    public void A_trained_model_becomes_the_file_that_llama_cpp_made_of_it(string fileType, string made)
    {
        var reference = SharedData.Require(Stories + made);
        using var source = HuggingFaceFolder();
        using var folder = new TemporaryFolder();

        var path = PlanFiles.Write(GgufConversion.Plan(ModelLocator.FromPath(source.Path), Recipe(fileType)), folder.Path).Single();

        GgufComparison.AssertSameTensors(reference, path);
        var text = "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.";
        using var expected = Llama.Load(reference);
        using var actual = Llama.Load(path);
        var tokens = expected.Tokenize(text);
        Assert.Equal(tokens, actual.Tokenize(text));
        Assert.Equal(expected.Logits(tokens), actual.Logits(tokens));
    }

    [Fact]
    public void Babyllama_becomes_the_file_that_llama_cpp_made_of_it()
    {
        var reference = SharedData.Require("models/babyllama-tok105/babyllama-tok105-f32.gguf");
        using var source = LlamaFolder.FromGguf(reference, SharedData.Require("models/babyllama-tok105/tok105.model"));
        using var folder = new TemporaryFolder();
        var path = PlanFiles.Write(GgufConversion.Plan(ModelLocator.FromPath(source.Path), Recipe("f32")), folder.Path).Single();
        GgufComparison.AssertSameTensors(reference, path);
    }

    [Fact]
    public void The_metadata_is_that_of_llama_cpp_and_says_where_the_file_comes_from()
    {
        var reference = GgufReader.ReadHeader(SharedData.Require(Stories + "stories260K-Q4_K_M.gguf")).Metadata;
        using var source = HuggingFaceFolder();
        using var folder = new TemporaryFolder();
        var metadata = GgufReader.ReadHeader(PlanFiles.Write(GgufConversion.Plan(ModelLocator.FromPath(source.Path), Recipe("q4_k_m")), folder.Path).Single()).Metadata;

        string[] compared =
        [
            "general.architecture", "general.file_type", "general.quantization_version", "llama.context_length", "llama.embedding_length", "llama.block_count", "llama.feed_forward_length",
            "llama.rope.dimension_count", "llama.attention.head_count", "llama.attention.head_count_kv", "llama.attention.layer_norm_rms_epsilon",
            "tokenizer.ggml.model", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
        ];
        Assert.Equal(compared.Select(key => (key, reference.Raw(key))), compared.Select(key => (key, metadata.Raw(key))));
        Assert.Equal(reference.Strings("tokenizer.ggml.tokens"), metadata.Strings("tokenizer.ggml.tokens"));
        Assert.Equal(reference.Numbers("tokenizer.ggml.scores")!.Value, metadata.Numbers("tokenizer.ggml.scores")!.Value);
        Assert.Equal("q4_k_m", metadata.String("plimsoll.recipe"));
        Assert.Equal(64, metadata.String("plimsoll.source.headers_sha256")!.Length);
    }

    private static LlamaFolder HuggingFaceFolder() => LlamaFolder.FromGguf(SharedData.Require(Stories + "stories260K-f32.gguf"), SharedData.Require(Stories + "tok512.model"));

    private static GgufRecipe Recipe(string fileType) => new() { FileName = "model.gguf", FileType = GgufFileType.Find(fileType)! };
}
