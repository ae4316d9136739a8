using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Checkpoints.Tests.Tokenizers;

public class VocabularyTests
{
    /// <summary>Facts of the files: counts of Python's json module, ids of the models' own configurations.</summary>
    [Theory]
    [InlineData("falcon/tokenizer.json", TokenizerKind.ByteLevelBpe, 65_024, 64_784, "falcon", null, null)]
    [InlineData("gpt-neox/20B_tokenizer.json", TokenizerKind.ByteLevelBpe, 50_277, 50_009, "gpt-2", null, null)]
    [InlineData("gpt2/gpt2_tokenizer.json", TokenizerKind.ByteLevelBpe, 50_257, 50_000, "gpt-2", null, null)]
    [InlineData("phi-2/tokenizer.json", TokenizerKind.ByteLevelBpe, 50_295, 50_000, "gpt-2", null, null)]
    [InlineData("llama2/tokenizer.json", TokenizerKind.SentencePieceBpe, 32_000, 61_249, null, 1, null)]
    [InlineData("llama2/tokenizer.model", TokenizerKind.SentencePieceBpe, 32_000, 0, null, 1, 2)]
    [InlineData("llama3/tokenizer.model", TokenizerKind.ByteLevelBpe, 128_256, 0, "llama-bpe", 128_000, 128_001)]
    [InlineData("mistral/mistral_instruct_tokenizer_240323.model.v3", TokenizerKind.SentencePieceBpe, 32_768, 0, null, 1, 2)]
    public void Every_kind_of_file_gives_its_vocabulary(string file, TokenizerKind kind, int count, int merges, string? pre, int? bos, int? eos)
    {
        var vocabulary = VocabularyReader.Read(SharedData.Require("tokenizers/" + file));
        Assert.Equal((kind, count, merges, pre, bos, eos),
            (vocabulary.Kind, vocabulary.Count, vocabulary.Merges.Length, vocabulary.PreTokenizer, vocabulary.Special.Bos, vocabulary.Special.Eos));
        Assert.Equal(count, vocabulary.Types.Length);
        Assert.Equal(bos is not null, vocabulary.AddBos);
    }

    [Fact]
    public void A_folder_adds_the_settings_to_vocabulary_and_merges()
    {
        using var folder = new TemporaryFolder();
        File.Copy(SharedData.Require("tokenizers/qwen2/vocab.json"), folder.File("vocab.json"));
        File.Copy(SharedData.Require("tokenizers/qwen2/merges.txt"), folder.File("merges.txt"));
        // The added tokens of Qwen2's own tokenizer_config.json.
        folder.Write("tokenizer_config.json", """
            { "tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "add_bos_token": false, "chat_template": "{{ messages }}",
              "added_tokens_decoder": { "151643": { "content": "<|endoftext|>", "special": true }, "151644": { "content": "<|im_start|>", "special": true }, "151645": { "content": "<|im_end|>", "special": true } } }
            """);
        var vocabulary = VocabularyReader.Read(folder.Path);
        Assert.Equal((151_646, 151_387, "qwen2", 151_645, 151_645), (vocabulary.Count, vocabulary.Merges.Length, vocabulary.PreTokenizer, vocabulary.Special.Eos, vocabulary.Special.Eot));
        Assert.Equal((false, "{{ messages }}", TokenType.Control), (vocabulary.AddBos, vocabulary.ChatTemplate, vocabulary.Types[151_644]));
    }

    /// <summary>The same tokenizer from two writers: Meta's SentencePiece model and the conversion that llama.cpp ships.</summary>
    [Fact]
    public void A_SentencePiece_model_and_its_GGUF_give_the_same_vocabulary()
    {
        var model = VocabularyReader.Read(SharedData.Require("tokenizers/llama2/tokenizer.model"));
        var gguf = VocabularyReader.Read(SharedData.Require("tokenizers/gguf-vocab/ggml-vocab-llama-spm.gguf"));
        Assert.Equal(gguf.Tokens.Skip(259), model.Tokens.Skip(259));
        Assert.Equal(gguf.Scores, model.Scores);
        Assert.Equal(gguf.Types, model.Types);
    }

    [Fact]
    public void Scores_of_merges_order_tokens_as_SentencePiece_does()
    {
        var json = VocabularyReader.Read(SharedData.Require("tokenizers/llama2/tokenizer.json"));
        var model = VocabularyReader.Read(SharedData.Require("tokenizers/llama2/tokenizer.model"));
        // Runs of spaces all have −10⁹ in the model: ties, which the merges order in their own way.
        var joined = Enumerable.Range(0, json.Count).Where(id => json.Scores[id] < 0 && model.Scores[id] > -1e8).ToList();
        Assert.Equal(joined.OrderByDescending(id => model.Scores[id]), joined.OrderByDescending(id => json.Scores[id]));
        Assert.True(joined.Count > 29_000);
    }

    [Fact]
    public void A_file_of_another_kind_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", """{"model":{"type":"WordLevel","vocab":{"a":0}}}""");
        var failure = Assert.Throws<CheckpointFormatException>(() => VocabularyReader.Read(folder.Path));
        Assert.Contains("expected a model of type BPE, Unigram or WordPiece, found 'WordLevel'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_tokenizer_is_refused_with_the_names_looked_for()
    {
        using var folder = new TemporaryFolder();
        var failure = Assert.Throws<CheckpointFormatException>(() => VocabularyReader.Read(folder.Path));
        Assert.Contains("tokenizer.json, tokenizer.model, vocab.json, vocab.txt, *.tiktoken or *.gguf", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":5000000},"merges":[]}}""", "a token id below")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", "a token id below")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":"0"},"merges":[]}}""", "an integer as the id")]
    [InlineData("""{"model":{"type":"BPE"}}""", "an object 'model' with a vocabulary")]
    [InlineData("""[1]""", "an object")]
    public void A_wrong_tokenizer_json_is_refused_with_what_was_expected(string json, string expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", json);
        var failure = Assert.Throws<CheckpointFormatException>(() => VocabularyReader.Read(folder.Path));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("IQ== 0\nIg== x\n")]
    [InlineData("IQ==\n")]
    [InlineData("\u0001\u0002")]
    public void A_broken_list_of_ranks_is_refused(string text)
    {
        using var folder = new TemporaryFolder();
        folder.Write("x.tiktoken", text);
        Assert.Throws<CheckpointFormatException>(() => VocabularyReader.Read(folder.Path));
    }
}
