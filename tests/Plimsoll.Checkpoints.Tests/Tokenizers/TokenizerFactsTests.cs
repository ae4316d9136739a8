using System.Text;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Checkpoints.Tokenizers;

namespace Plimsoll.Checkpoints.Tests.Tokenizers;

public class TokenizerFactsTests
{
    /// <summary>Counts of Python's json module over the same files.</summary>
    [Theory]
    [InlineData("tokenizers/falcon/tokenizer.json", "byte-level BPE", 65_024, 65_023, 11, 64_784)]
    [InlineData("tokenizers/gpt-neox/20B_tokenizer.json", "byte-level BPE", 50_277, 50_253, 50_276, 50_009)]
    [InlineData("tokenizers/gpt2/gpt2_tokenizer.json", "byte-level BPE", 50_257, 50_256, 50_256, 50_000)]
    [InlineData("tokenizers/llama2/tokenizer.json", "BPE with byte fallback (SentencePiece style)", 32_000, 31_999, 2, 61_249)]
    [InlineData("tokenizers/phi-2/tokenizer.json", "byte-level BPE", 50_295, 50_256, 50_294, 50_000)]
    public void A_tokenizer_json_is_counted(string path, string kind, long size, long largestId, long largestAdded, long merges)
    {
        using var folder = new TemporaryFolder();
        File.Copy(SharedData.Require(path), folder.File("tokenizer.json"));
        var facts = TokenizerReader.FromFolder(folder.Path)!;
        Assert.Equal((kind, size, largestId, largestAdded, merges), (facts.Kind, facts.VocabularySize, facts.LargestId, facts.LargestAddedId, facts.Merges));
    }

    [Fact]
    public void A_SentencePiece_model_is_counted_with_its_special_tokens()
    {
        using var folder = new TemporaryFolder();
        File.Copy(SharedData.Require("tokenizers/llama2/tokenizer.model"), folder.File("tokenizer.model"));
        var facts = TokenizerReader.FromFolder(folder.Path)!;
        Assert.Equal(("SentencePiece BPE", 32_000L), (facts.Kind, facts.VocabularySize));
        Assert.Equal(["bos <s> 1", "eos </s> 2", "unk <unk> 0"], facts.SpecialTokens.Select(token => $"{token.Role} {token.Text} {token.Id}"));
    }

    [Fact]
    public void A_tokenizer_model_of_Llama_3_is_a_list_of_ranks()
    {
        using var folder = new TemporaryFolder();
        File.Copy(SharedData.Require("tokenizers/llama3/tokenizer.model"), folder.File("tokenizer.model"));
        var facts = TokenizerReader.FromFolder(folder.Path)!;
        Assert.Equal(("tiktoken (byte-level BPE)", 128_000L), (facts.Kind, facts.VocabularySize));
    }

    [Fact]
    public void A_vocabulary_with_merges_is_counted()
    {
        using var folder = new TemporaryFolder();
        File.Copy(SharedData.Require("tokenizers/qwen2/vocab.json"), folder.File("vocab.json"));
        File.Copy(SharedData.Require("tokenizers/qwen2/merges.txt"), folder.File("merges.txt"));
        var facts = TokenizerReader.FromFolder(folder.Path)!;
        // Qwen2: 151,643 tokens and 151,387 merges; the control tokens are added ones.
        Assert.Equal(("byte-level BPE", 151_643L, 151_642L, 151_387L), (facts.Kind, facts.VocabularySize, facts.LargestId, facts.Merges));
    }

    [Theory]
    [InlineData("llama-spm", "SentencePiece BPE (llama)", "default", 32_000, "bos <s> 1, eos </s> 2, unk <unk> 0")]
    [InlineData("gpt-2", "byte-level BPE (gpt2)", "gpt-2", 50_257, "bos <|endoftext|> 50256, eos <|endoftext|> 50256")]
    [InlineData("bert-bge", "WordPiece (bert)", "bert-bge", 30_522, "unk [UNK] 100, pad [PAD] 0, sep [SEP] 102, cls [CLS] 101, mask [MASK] 103")]
    public void The_tokenizer_of_a_GGUF_file_is_in_its_metadata(string name, string kind, string pre, long size, string special)
    {
        var facts = TokenizerReader.FromGguf(GgufReader.ReadHeader(SharedData.Require($"tokenizers/gguf-vocab/ggml-vocab-{name}.gguf")).Metadata)!;
        Assert.Equal((kind, pre, size), (facts.Kind, facts.PreTokenizer, facts.VocabularySize));
        Assert.Equal(special, string.Join(", ", facts.SpecialTokens.Select(token => $"{token.Role} {token.Text} {token.Id}")));
    }

    [Fact]
    public void Settings_name_the_class_the_special_tokens_and_the_template()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", """{"added_tokens":[{"id":3,"content":"<s>","special":true}],"model":{"type":"Unigram","vocab":[["a",0.0],["b",-1.5],["c",-2]]}}""");
        folder.Write("tokenizer_config.json", """
            { "tokenizer_class": "T5Tokenizer", "bos_token": "<s>", "eos_token": { "content": "</s>" }, "pad_token": null, "chat_template": "{{ messages }}",
              "added_tokens_decoder": { "7": { "content": "</s>", "special": true } } }
            """);
        var facts = TokenizerReader.FromFolder(folder.Path)!;
        Assert.Equal(("Unigram", "T5Tokenizer", 5L, 2L, 7L, true), (facts.Kind, facts.ClassName, facts.VocabularySize, facts.LargestId, facts.LargestAddedId, facts.HasChatTemplate));
        Assert.Equal([new("bos", "<s>", 3), new("eos", "</s>", 7)], facts.SpecialTokens);
    }

    [Fact]
    public void A_template_may_lie_in_a_file_of_its_own()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", """{"model":{"type":"WordLevel","vocab":{"a":0}}}""");
        Assert.False(TokenizerReader.FromFolder(folder.Path)!.HasChatTemplate);
        folder.Write("chat_template.jinja", "{{ messages }}");
        Assert.True(TokenizerReader.FromFolder(folder.Path)!.HasChatTemplate);
    }

    [Fact]
    public void The_configuration_gives_ids_that_the_settings_lack()
    {
        var config = ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes("""{"bos_token_id":11,"eos_token_id":[1,2]}"""));
        var facts = TokenizerReader.FromConfig("tokenizer_config.json", Encoding.UTF8.GetBytes("""{"tokenizer_class":"X","bos_token":"<b>","eos_token":"<e>"}"""), config);
        Assert.Equal([new("bos", "<b>", 11), new("eos", "<e>", null)], facts.SpecialTokens);
        Assert.Null(facts.VocabularySize);
    }

    [Fact]
    public void A_folder_without_a_tokenizer_has_none()
    {
        using var folder = new TemporaryFolder();
        Assert.Null(TokenizerReader.FromFolder(folder.Path));
    }

    [Fact]
    public void A_string_longer_than_the_window_is_read()
    {
        using var folder = new TemporaryFolder();
        var text = new string('x', 300_000);
        folder.Write("tokenizer.json", $$"""{"version":"{{text}}","model":{"type":"BPE","vocab":{"{{text}}":0,"b":1},"merges":["{{text}}"] } }""");
        Assert.Equal((2L, 1L), (TokenizerReader.FromFolder(folder.Path)!.VocabularySize, TokenizerReader.FromFolder(folder.Path)!.Merges));
    }

    [Theory]
    [InlineData("""{"added_tokens":[{"id":3,"content":"<s>"}],"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"}]},"model":{"type":"BPE","vocab":{"a":0,"é":1},"merges":[["a","b"]]}}""")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",0.5],["b",-1]]},"decoder":null}""")]
    public void A_cut_or_changed_tokenizer_json_ends_in_facts_or_a_format_exception(string json)
    {
        using var folder = new TemporaryFolder();
        var valid = Encoding.UTF8.GetBytes(json);
        var mutants = Enumerable.Range(0, valid.Length).Select(length => valid[..length])
            .Concat(Enumerable.Range(0, valid.Length).SelectMany(at => new byte[] { 0x01, 0x20, 0x80 }.Select(bits => valid.Select((value, index) => index == at ? (byte)(value ^ bits) : value).ToArray())));
        Check(folder, "tokenizer.json", mutants);
    }

    [Fact]
    public void A_cut_or_changed_SentencePiece_model_ends_in_facts_or_a_format_exception()
    {
        using var folder = new TemporaryFolder();
        // Two pieces (text, score), then the trainer's model_type = 2 and pad_id = 1.
        byte[] valid = [0x0A, 0x08, 0x0A, 0x01, (byte)'a', 0x15, 0, 0, 0, 0, 0x0A, 0x08, 0x0A, 0x01, (byte)'b', 0x15, 0, 0, 0, 0, 0x12, 0x05, 0x18, 0x02, 0xD8, 0x02, 0x01];
        folder.Write("tokenizer.model", valid);
        var facts = TokenizerReader.FromFolder(folder.Path)!;
        Assert.Equal(("SentencePiece BPE", 2L, "bos b, unk a, pad b"), (facts.Kind, facts.VocabularySize, string.Join(", ", facts.SpecialTokens.Select(token => $"{token.Role} {token.Text}"))));
        var mutants = Enumerable.Range(0, valid.Length).Select(length => valid[..length])
            .Concat(Enumerable.Range(0, valid.Length).SelectMany(at => Enumerable.Range(0, 8).Select(bit => valid.Select((value, index) => index == at ? (byte)(value ^ 1 << bit) : value).ToArray())));
        Check(folder, "tokenizer.model", mutants);
    }

    private static void Check(TemporaryFolder folder, string name, IEnumerable<byte[]> mutants)
    {
        var (accepted, refused) = (0, 0);
        foreach (var mutant in mutants)
        {
            folder.Write(name, mutant);
            try
            {
                accepted += TokenizerReader.FromFolder(folder.Path) is null ? 0 : 1;
            }
            catch (CheckpointFormatException)
            {
                refused++;
            }
        }
        Assert.True(accepted > 5 && refused > 5, $"{accepted} accepted, {refused} refused");
    }
}
