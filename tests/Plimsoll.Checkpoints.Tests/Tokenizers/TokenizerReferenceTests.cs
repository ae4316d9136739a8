using System.Globalization;
using System.Text;
using System.Text.Json;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Checkpoints.Tests.Tokenizers;

/// <summary>Encodings of somebody else's programs: the ids that llama.cpp ships with its vocabularies (made with Hugging Face's tokenizers), and libllama itself.</summary>
public class TokenizerReferenceTests
{
    public static TheoryData<string> Vocabularies => ["bert-bge", "deepseek-coder", "falcon", "gpt-2", "llama-spm", "phi-3"];

    [Theory]
    [MemberData(nameof(Vocabularies))]
    public void Every_test_string_of_llama_cpp_gives_the_ids_beside_it(string name)
    {
        var path = SharedData.Require($"tokenizers/gguf-vocab/ggml-vocab-{name}.gguf");
        var tokenizer = Tokenizer.Load(path);
        var inputs = File.ReadAllText(path + ".inp").Split("\n__ggml_vocab_test__\n");
        var outputs = File.ReadAllText(path + ".out").Split('\n');
        Assert.True(inputs.Length >= 46);
        foreach (var (input, output) in inputs.Zip(outputs))
            Assert.Equal((input, output.Trim()), (input, string.Join(' ', tokenizer.Encode(input, addSpecial: false))));
    }

    [Theory]
    [InlineData("falcon/tokenizer.json", "falcon_encoded")]
    [InlineData("gpt2/gpt2_tokenizer.json", "gpt2_encoded_tokens")]
    [InlineData("gpt2/gpt2-vocab.json", "gpt2_encoded_tokens")]
    [InlineData("llama2/tokenizer.json", "llama_encoded")]
    [InlineData("llama2/tokenizer.model", "llama_encoded")]
    [InlineData("llama3/tokenizer.model", "llama_3.2_encoded")]
    public void Published_encodings_are_met_from_every_kind_of_file_and_decode_to_the_text(string file, string expected)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(SharedData.Require($"tokenizers/expected/{expected}.json")));
        var text = json.RootElement.GetProperty("text").GetString()!;
        var tokenizer = Tokenizer.Load(SharedData.Require("tokenizers/" + file));
        var ids = tokenizer.Encode(text);
        Assert.Equal(json.RootElement.GetProperty("token_ids").EnumerateArray().Select(id => id.GetInt32()), ids);
        Assert.Equal(text, tokenizer.Decode(ids));
    }

    [Theory]
    [MemberData(nameof(Vocabularies))]
    public void Random_text_of_many_scripts_gives_the_ids_of_libllama(string name)
    {
        var path = SharedData.Require($"tokenizers/gguf-vocab/ggml-vocab-{name}.gguf");
        using var peer = Llama.Load(path, vocabularyOnly: true);
        var tokenizer = Tokenizer.Load(path);
        foreach (var line in RandomText.Lines(seed: 1, count: 100))
        {
            var text = Comparable(name, line);
            foreach (var special in (bool[])[false, true])
                Assert.Equal((text, string.Join(' ', peer.Tokenize(text, special, special))), (text, string.Join(' ', tokenizer.Encode(text, special, special))));
        }
    }

    /// <summary>
    /// Leaves out where libllama differs from the tokenizers that the models were trained with: in BERT it keeps only the first letter of a decomposition and
    /// drops vowel signs; behind the added tokens of Phi-3 it strips only the white space of ASCII.
    /// </summary>
    private static string Comparable(string name, string line) => name switch
    {
        "bert-bge" => string.Concat(line.EnumerateRunes().Where(rune => Rune.GetUnicodeCategory(rune) != UnicodeCategory.SpacingCombiningMark && rune.Value is not (>= 0xAC00 and <= 0xD7A3))),
        "phi-3" => line.Replace('\u00A0', ' ').Replace('\u3000', ' ').Replace('\u2003', ' '),
        _ => line,
    };

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("llama-spm")]
    [InlineData("phi-3")]
    public void The_bytes_of_every_token_are_those_of_libllama(string name)
    {
        var path = SharedData.Require($"tokenizers/gguf-vocab/ggml-vocab-{name}.gguf");
        using var peer = Llama.Load(path, vocabularyOnly: true);
        var tokenizer = Tokenizer.Load(path);
        for (var id = 0; id < tokenizer.Vocabulary.Count; id++)
            Assert.Equal((id, Convert.ToHexString(peer.Piece(id))), (id, Convert.ToHexString(tokenizer.PieceBytes(id))));
    }

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("deepseek-coder")]
    [InlineData("llama-spm")]
    public void Whatever_is_encoded_decodes_to_itself_token_by_token_too(string name)
    {
        var tokenizer = Tokenizer.Load(SharedData.Require($"tokenizers/gguf-vocab/ggml-vocab-{name}.gguf"));
        foreach (var line in RandomText.Lines(seed: 2, count: 100))
        {
            // SentencePiece writes spaces as ▁ and cannot tell one from the other.
            var text = name == "llama-spm" ? line.Replace('▁', ' ') : line;
            var ids = tokenizer.Encode(text);
            Assert.Equal(text, tokenizer.Decode(ids));
            var stream = new TokenStream(tokenizer);
            var parts = new StringBuilder();
            foreach (var id in ids)
            {
                var part = stream.Add(id);
                Assert.DoesNotContain('\uFFFD', part);
                parts.Append(part);
            }
            Assert.Equal(text, parts.Append(stream.Flush()).ToString());
        }
    }

    [Fact]
    public void A_megabyte_without_spaces_takes_no_square_of_its_length()
    {
        var tokenizer = Tokenizer.Load(SharedData.Require("tokenizers/gguf-vocab/ggml-vocab-gpt-2.gguf"));
        var text = string.Concat(Enumerable.Repeat("abcdefgh", 1 << 15));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }
}
