using System.Globalization;
using System.Text;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Quantization.Gguf.Architectures;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Vocabularies of real models, key by key against the files that llama.cpp's converter made of them.</summary>
public sealed class TokenizerKeysTests
{
    [Theory]
    [InlineData("llama2/tokenizer.model", "llama-spm")]
    [InlineData("gpt2/gpt2_tokenizer.json", "gpt-2")]
    [InlineData("falcon/tokenizer.json", "falcon")]
    public void The_vocabulary_of_a_real_model_is_written_as_llama_cpp_writes_it(string tokenizer, string made)
    {
        var expected = GgufReader.ReadHeader(SharedData.Require($"tokenizers/gguf-vocab/ggml-vocab-{made}.gguf")).Metadata;
        using var folder = new TemporaryFolder();
        var actual = Write(folder, (int)expected.Length("tokenizer.ggml.tokens")!, folder =>
            File.Copy(SharedData.Require("tokenizers/" + tokenizer), folder.File(tokenizer.EndsWith("json", StringComparison.Ordinal) ? "tokenizer.json" : "tokenizer.model")));

        foreach (var key in (string[])["tokenizer.ggml.model", "tokenizer.ggml.pre"])
            Assert.Equal(expected.String(key), actual.String(key));
        Assert.Equal(expected.Strings("tokenizer.ggml.tokens"), actual.Strings("tokenizer.ggml.tokens"));
        Assert.Equal(expected.Strings("tokenizer.ggml.merges"), actual.Strings("tokenizer.ggml.merges"));
        foreach (var key in (string[])["tokenizer.ggml.token_type", "tokenizer.ggml.scores"])
            Assert.Equal((expected.Raw(key) as GgufArray)?.ReadNumbers(), (actual.Raw(key) as GgufArray)?.ReadNumbers());
    }

    /// <summary>Llama 2 has both files: which tokens there are says the one, their scores the other.</summary>
    [Fact]
    public void Scores_come_from_the_sentencepiece_model_where_tokenizer_json_lies_beside_it()
    {
        var expected = GgufReader.ReadHeader(SharedData.Require("tokenizers/gguf-vocab/ggml-vocab-llama-spm.gguf")).Metadata;
        using var folder = new TemporaryFolder();
        var actual = Write(folder, 32000, folder =>
        {
            File.Copy(SharedData.Require("tokenizers/llama2/tokenizer.json"), folder.File("tokenizer.json"));
            File.Copy(SharedData.Require("tokenizers/llama2/tokenizer.model"), folder.File("tokenizer.model"));
        });
        // A few odd spaces of the shared tokenizer.json are plain ones; what is no piece gets the score of a token added later.
        var texts = expected.Strings("tokenizer.ggml.tokens")!.Zip(actual.Strings("tokenizer.ggml.tokens")!, (left, right) => left == right).ToList();
        Assert.InRange(texts.Count(same => !same), 0, 5);
        Assert.Equal(
            ((GgufArray)expected.Raw("tokenizer.ggml.scores")!).ReadNumbers().Select((score, id) => texts[id] ? score : -1000),
            ((GgufArray)actual.Raw("tokenizer.ggml.scores")!).ReadNumbers());
        Assert.True(actual.Boolean("tokenizer.ggml.add_bos_token"));
        Assert.Equal(1, actual.Integer("tokenizer.ggml.bos_token_id"));
        Assert.Equal(2, actual.Integer("tokenizer.ggml.eos_token_id"));
        Assert.Equal(0, actual.Integer("tokenizer.ggml.unknown_token_id"));
    }

    [Fact]
    public void Ids_that_only_the_configuration_states_and_the_chat_template_are_written()
    {
        using var folder = new TemporaryFolder();
        var actual = Write(folder, 320, folder =>
        {
            folder.Write("tokenizer.json", Testing.Builders.TinyTokenizer.ByteLevel());
            folder.Write("tokenizer_config.json", """{"add_bos_token": false, "chat_template": "{{ messages }}"}""");
        }, "\"bos_token_id\": 300, \"eos_token_id\": [301, 300], \"pad_token_id\": null");
        Assert.Equal(300, actual.Integer("tokenizer.ggml.bos_token_id"));
        Assert.Equal(301, actual.Integer("tokenizer.ggml.eos_token_id"));
        Assert.False(actual.Contains("tokenizer.ggml.padding_token_id"));
        Assert.False(actual.Boolean("tokenizer.ggml.add_bos_token"));
        Assert.Equal("{{ messages }}", actual.String("tokenizer.chat_template"));
        Assert.Equal("gpt-2", actual.String("tokenizer.ggml.pre"));
    }

    private static GgufMetadata Write(TemporaryFolder folder, int rows, Action<TemporaryFolder> addFiles, string facts = "\"bos_token_id\": 1")
    {
        addFiles(folder);
        var config = ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes(
            TinyConfigs.ByModelType["llama"].Replace("\"vocab_size\": 320", string.Create(CultureInfo.InvariantCulture, $"\"vocab_size\": {rows}, {facts}"))));
        var keys = new GgufKeyValues();
        TokenizerKeys.Write(keys, ScoredVocabulary.Read(folder.Path), new GgufModel(ModelShapeReader.FromConfig(config, "tiny", "config.json"), config));
        return GgufReader.ReadHeader(folder.Write("written.gguf", GgufWriter.Layout(keys, []).Header.ToArray())).Metadata;
    }
}
