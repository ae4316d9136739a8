using System.Text.Json;
using Plimsoll.Checkpoints.Tokenizers;
using Plimsoll.Checkpoints.Tokenizers.Normalizing;
using Plimsoll.Checkpoints.Tokenizers.Splitting;

namespace Plimsoll.Checkpoints.Tests.Tokenizers;

/// <summary>The steps of tokenizer.json one by one; expected values are those of the documentation of Hugging Face's tokenizers library and of Python's unicodedata.</summary>
public class TokenizerJsonStepTests
{
    [Theory]
    [InlineData("""{"type":"NFC"}""", "e\u0301\u1100\u1161", "\u00e9\uac00")]
    [InlineData("""{"type":"NFD"}""", "\u00e9\uac01\u1e69", "e\u0301\u1100\u1161\u11a8s\u0323\u0307")]
    [InlineData("""{"type":"NFKC"}""", "\ufb01\u00b2\u2460\uff21", "fi21A")]
    [InlineData("""{"type":"NFKD"}""", "\ufb01\u00e9", "fie\u0301")]
    [InlineData("""{"type":"Lowercase"}""", "ÀB\u0130", "àbi\u0307")]
    [InlineData("""{"type":"StripAccents"}""", "e\u0301\u093f", "e")]
    [InlineData("""{"type":"Strip","strip_left":true,"strip_right":false}""", "  a ", "a ")]
    [InlineData("""{"type":"Replace","pattern":{"String":" "},"content":"▁"}""", "a b", "a▁b")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"$"}""", "a   b", "a$b")]
    [InlineData("""{"type":"Prepend","prepend":"▁"}""", "a", "▁a")]
    [InlineData("""{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}""", "H\u00e9llo\u0000\t\u4e2d", "hello  \u4e2d ")]
    [InlineData("""{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},{"type":"Lowercase"}]}""", "\u00c9A", "ea")]
    public void A_normalizer_changes_text(string step, string text, string expected)
    {
        foreach (var apply in NormalizerSteps.Parse("", JsonElement.Parse(step)))
            text = apply(text);
        Assert.Equal(expected, text);
    }

    /// <summary>All of Unicode against ICU is out of reach here; these are Part 1 rows of NormalizationTest.txt: source, NFC, NFD, NFKC, NFKD.</summary>
    [Theory]
    [InlineData("1E0A", "1E0A", "0044 0307", "1E0A", "0044 0307")]
    [InlineData("1E0A 0323", "1E0C 0307", "0044 0323 0307", "1E0C 0307", "0044 0323 0307")]
    [InlineData("0344", "0308 0301", "0308 0301", "0308 0301", "0308 0301")]
    [InlineData("1E9B 0323", "1E9B 0323", "017F 0323 0307", "1E69", "0073 0323 0307")]
    [InlineData("FB2C", "05E9 05BC 05C1", "05E9 05BC 05C1", "05E9 05BC 05C1", "05E9 05BC 05C1")]
    [InlineData("212B", "00C5", "0041 030A", "00C5", "0041 030A")]
    [InlineData("D4DB", "D4DB", "1111 1171 11B6", "D4DB", "1111 1171 11B6")]
    [InlineData("2F800", "4E3D", "4E3D", "4E3D", "4E3D")]
    [InlineData("0061 0315 0300 05AE 0300 0062", "00E0 05AE 0300 0315 0062", "0061 05AE 0300 0300 0315 0062", "00E0 05AE 0300 0315 0062", "0061 05AE 0300 0300 0315 0062")]
    public void Unicode_normalization_meets_the_test_file_of_the_standard(string source, string nfc, string nfd, string nfkc, string nfkd)
    {
        var text = Text(source);
        Assert.Equal(Text(nfc), UnicodeNormalization.Apply(text, isCompatible: false, composes: true));
        Assert.Equal(Text(nfd), UnicodeNormalization.Apply(text, isCompatible: false, composes: false));
        Assert.Equal(Text(nfkc), UnicodeNormalization.Apply(text, isCompatible: true, composes: true));
        Assert.Equal(Text(nfkd), UnicodeNormalization.Apply(text, isCompatible: true, composes: false));

        static string Text(string codes) => string.Concat(codes.Split(' ').Select(code => char.ConvertFromUtf32(Convert.ToInt32(code, 16))));
    }

    [Theory]
    [InlineData("""{"type":"Whitespace"}""", "Hello, y'all!", "Hello|,|y|'|all|!")]
    [InlineData("""{"type":"WhitespaceSplit"}""", "Hello, y'all!", "Hello,|y'all!")]
    [InlineData("""{"type":"BertPreTokenizer"}""", "Hey friend!  How", "Hey|friend|!|How")]
    [InlineData("""{"type":"Digits","individual_digits":true}""", "Call 123 please", "Call |1|2|3| please")]
    [InlineData("""{"type":"Digits","individual_digits":false}""", "Call 123 please", "Call |123| please")]
    [InlineData("""{"type":"Punctuation","behavior":"Isolated"}""", "Hey?! you", "Hey|?|!| you")]
    [InlineData("""{"type":"Punctuation","behavior":"Contiguous"}""", "Hey?! you", "Hey|?!| you")]
    [InlineData("""{"type":"CharDelimiterSplit","delimiter":"-"}""", "the-final--countdown", "the|final|countdown")]
    [InlineData("""{"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithPrevious"}""", "the-final--countdown", "the-|final-|-|countdown")]
    [InlineData("""{"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithNext"}""", "the-final--countdown", "the|-final|-|-countdown")]
    [InlineData("""{"type":"Split","pattern":{"String":"-"},"behavior":"Contiguous"}""", "the-final--countdown", "the|-|final|--|countdown")]
    [InlineData("""{"type":"Split","pattern":{"Regex":"[a-z]+"},"behavior":"Removed","invert":true}""", "ab-cd", "ab|cd")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":false}""", "Hello my friend, how", "Hello| my| friend|,| how")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Digits","individual_digits":true}]}""", "a1 b2", "a|1|b|2")]
    public void A_pre_tokenizer_splits_text(string step, string text, string expected)
    {
        var (source, pieces) = new TextSplitter(PreTokenizerSteps.Parse("", JsonElement.Parse(step)).Steps).Split(text);
        Assert.Equal(expected, string.Join('|', pieces.Select(piece => source.Substring(piece.Start, piece.Length))));
    }

    [Theory]
    [InlineData(@"\p{N}{1,3}+x", @"\p{N}{1,3}x")]
    [InlineData(@"\p{L}+", @"\p{L}+")]
    [InlineData(@"a++b*+c?+", "a+b*c?")]
    [InlineData(@"\++", @"\++")]
    [InlineData(@"\s+$", @"\s+(?=\n|\z)")]
    [InlineData(@"[\p{L}&&[^a-z]]+", @"[\p{L}-[a-z]]+")]
    [InlineData("[\U00010400-\U0001044F]", "[\uFF21\uFF41]")]
    public void A_pattern_is_written_for_dotnet(string pattern, string expected) => Assert.Equal(expected, OnigurumaPattern.ToDotNet(pattern));

    /// <summary>One character per code point: letters, digits and symbols beyond U+FFFF count once, as in every other library.</summary>
    [Fact]
    public void Characters_beyond_the_first_plane_keep_their_category()
    {
        var (source, pieces) = new TextSplitter([new(SplitPatterns.Llama3)]).Split("𝒜𐐀x 𝟏𝟐𝟑𝟒😀!");
        Assert.Equal("𝒜𐐀x| |𝟏𝟐𝟑|𝟒|😀!", string.Join('|', pieces.Select(piece => source.Substring(piece.Start, piece.Length))));
    }

    [Theory]
    [InlineData("normalizer", """{"type":"Nope"}""", "a normalizer that we know")]
    [InlineData("pre_tokenizer", """{"type":"UnicodeScripts"}""", "a pre_tokenizer that we know")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"}""", "a pattern that can be compiled")]
    [InlineData("post_processor", """{"type":"Nope"}""", "a post_processor that we know")]
    [InlineData("pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"Punctuation"},{"type":"Metaspace"}]}""", "a Metaspace step that begins")]
    [InlineData("pre_tokenizer", """{"pretokenizers":[]}""", "a pre_tokenizer as the tokenizers library writes it")]
    public void An_unknown_step_is_refused_by_name(string key, string step, string expected)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", $$"""{ "{{key}}": {{step}}, "model":{"type":"BPE","vocab":{"a":0},"merges":[] } }""");
        Assert.Contains(expected, Assert.Throws<CheckpointFormatException>(() => Tokenizer.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    /// <summary>As in the library: a prefix before the text, where it does not begin with one; with WhitespaceSplit before, one before each word.</summary>
    [Theory]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}""", "a b", "▁a ▁b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}""", " a b", "▁a ▁b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}""", "a  b ", "▁a ▁ ▁b ▁")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"never"}""", "a b", "a ▁b")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"▁","add_prefix_space":true}]}""", " a\n\tb  ab ", "▁a ▁b ▁a b")]
    public void A_metaspace_step_marks_the_beginnings_of_words(string preTokenizer, string text, string expected)
    {
        var tokenizer = Load("""{"type":"BPE","vocab":{"▁":0,"a":1,"b":2,"▁a":3,"▁b":4},"merges":["▁ a","▁ b"]}""", preTokenizer);
        Assert.Equal(expected, string.Join(' ', tokenizer.Encode(text).Select(id => tokenizer.Vocabulary.Tokens[id])));
    }

    /// <summary>Text is cut before spaces, but not where a token has a space inside: Gemma 4 has the token <c>&gt;▁&lt;/</c>.</summary>
    [Theory]
    [InlineData("> </ab b", ">▁</ a b ▁b")]
    [InlineData("a </b", "a ▁</ b")]
    public void Tokens_may_reach_over_a_space(string text, string expected)
    {
        var model = """{"type":"BPE","vocab":{"▁":0,"a":1,"b":2,"<":3,">":4,"/":5,"▁b":6,"▁<":7,"</":8,"▁</":9,">▁</":10},"merges":["▁ b","< /","> ▁</","▁ <","▁ </"]}""";
        var tokenizer = Load(model, "null", """{"type":"Replace","pattern":{"String":" "},"content":"▁"}""");
        Assert.Equal(expected, string.Join(' ', tokenizer.Encode(text).Select(id => tokenizer.Vocabulary.Tokens[id])));
    }

    [Fact]
    public void A_unigram_model_takes_the_cut_of_the_highest_sum()
    {
        var tokenizer = Load("""{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["▁",-3],["a",-2],["b",-2],["ab",-3.5],["▁ab",-9],["c",-1]]}""",
            """{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}""");
        // ▁ + ab = −6.5 beats ▁ + a + b = −7 and ▁ab = −9; unknown characters in a row are one token.
        Assert.Equal([1, 4, 6, 0], tokenizer.Encode("abcxy"));
    }

    [Fact]
    public void Word_pieces_take_the_longest_from_the_left_or_nothing()
    {
        var tokenizer = Load("""{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","vocab":{"[UNK]":0,"un":1,"##aff":2,"##able":3,"##a":4,"run":5}}""", """{"type":"BertPreTokenizer"}""");
        Assert.Equal([1, 2, 3, 5, 0], tokenizer.Encode("unaffable run unx"));
        Assert.Equal("unaffable run", tokenizer.Decode([1, 2, 3, 5]));
    }

    [Fact]
    public void Unknown_characters_become_their_bytes()
    {
        var bytes = string.Join(',', Enumerable.Range(0, 256).Select(value => $"\"<0x{value:X2}>\":{value + 2}"));
        var tokenizer = Load($$"""{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"vocab":{"<unk>":0,"a":1,{{bytes}} },"merges":[]}""", "null");
        Assert.Equal([1, 0xC3 + 2, 0xA9 + 2], tokenizer.Encode("aé"));
        Assert.Equal("aé", tokenizer.Decode([1, 0xC3 + 2, 0xA9 + 2]));
        Assert.Equal("a\uFFFD", tokenizer.Decode([1, 0xC3 + 2]));
    }

    [Fact]
    public void Added_tokens_are_found_first_and_steering_ones_only_when_asked_for()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", """
            { "added_tokens": [ { "id": 2, "content": "<s>", "special": true }, { "id": 3, "content": "ab" }, { "id": 4, "content": "abb", "rstrip": true }, { "id": 5, "content": "a", "single_word": true } ],
              "post_processor": { "type": "TemplateProcessing", "single": [ { "SpecialToken": { "id": "<s>" } }, { "Sequence": { "id": "A" } } ], "special_tokens": { "<s>": { "id": "<s>", "ids": [ 2 ] } } },
              "model": { "type": "BPE", "unk_token": "?", "vocab": { "b": 0, "?": 1, " ": 6, "a": 5, "s": 7 }, "merges": [] } }
            """);
        var tokenizer = Tokenizer.Load(folder.Path);
        // The longest wins and takes the space behind it along; a single word touches no letter.
        Assert.Equal([2, 4, 0, 3, 6, 5, 6], tokenizer.Encode("abb bab a "));
        Assert.Equal([3], tokenizer.Encode("ab", addSpecial: false));
        Assert.Equal([2, 1, 7, 1], tokenizer.Encode("<s>"));
        Assert.Equal([2, 2], tokenizer.Encode("<s>", parseSpecial: true));
        Assert.Equal((2, true), (tokenizer.Vocabulary.Special.Bos, tokenizer.IsControl(2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([8]));
    }

    private static Tokenizer Load(string model, string preTokenizer, string normalizer = "null")
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", $$"""{"normalizer":{{normalizer}},"pre_tokenizer":{{preTokenizer}},"model":{{model}} }""");
        return Tokenizer.Load(folder.Path);
    }
}
