using System.Text;

namespace Plimsoll.Cli.Tests.Tokenize;

public sealed class TokenizeCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _tokenizer;

    /// <summary>A byte-level tokenizer of our own: the 256 bytes, five merges and two tokens that steer.</summary>
    public TokenizeCommandTests()
    {
        var bytes = Enumerable.Range(0, 256).Select(value => (char)(value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? value : value switch
        {
            <= 32 => 256 + value,
            < 161 => 256 + 33 + value - 127,
            _ => 256 + 67,
        }));
        var tokens = bytes.Select(letter => letter.ToString()).Concat(["he", "ll", "hell", "hello", "Ġhello"]).Select((text, id) => $"{System.Text.Json.JsonSerializer.Serialize(text)}:{id}");
        _tokenizer = _folder.Write("tokenizer.json", $$"""
            { "added_tokens": [ { "id": 261, "content": "<s>", "special": true }, { "id": 262, "content": "</s>", "special": true } ],
              "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false },
              "post_processor": { "type": "TemplateProcessing", "single": [ { "SpecialToken": { "id": "<s>" } }, { "Sequence": { "id": "A" } } ], "special_tokens": { "<s>": { "ids": [ 261 ] } } },
              "model": { "type": "BPE", "vocab": { {{string.Join(',', tokens)}} }, "merges": [ "h e", "l l", "he ll", "hell o", "Ġ hello" ] } }
            """);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tokenize-text.txt", "--text", "hello hello\né €!")]
    [InlineData("tokenize-text.json", "--text", "hello hello\né", "--json")]
    [InlineData("tokenize-special.txt", "--text", "hello</s>", "--parse-special")]
    public void The_answer_reads_as_reviewed(string golden, params string[] options)
    {
        var run = CommandRun.Of(["tokenize", _tokenizer, .. options]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Golden.Match(golden, run.Output);
    }

    [Fact]
    public void Ids_become_text_again()
    {
        Assert.Equal("hello hello\n", CommandRun.Of("tokenize", _tokenizer, "--ids", "259,260").Output);
        Assert.Equal("<s>hello hello\n", CommandRun.Of("tokenize", _tokenizer, "--ids", "261", "259", "260").Output);
        Assert.Equal("hello\n", CommandRun.Of("tokenize", _tokenizer, "--ids", "[261, 259]", "--no-special").Output);
    }

    [Fact]
    public void Text_comes_from_a_file_or_is_piped_in()
    {
        var file = _folder.Write("text.txt", "\uFEFFhello");
        Assert.Equal([259], CommandRun.Of("tokenize", _tokenizer, "--file", file, "--no-special", "--json").Json.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()));
        Assert.Equal([261, 259], CommandRun.WithInput("hello"u8.ToArray(), "tokenize", _tokenizer, "--json").Json.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()));
    }

    [Fact]
    public void Bad_input_is_told_in_a_sentence()
    {
        var latin = _folder.Write("latin.txt", [(byte)'a', 0xE9, (byte)'b']);
        var empty = _folder.Write("empty.txt", "");
        var broken = _folder.Write("broken.json", "{\"model\":{}}");
        (int Code, string[] Args)[] rows =
        [
            (2, [_tokenizer, "--text", "a", "--file", "b"]),
            (2, [_tokenizer, "--text", ""]),
            (2, [_tokenizer, "--ids", "263"]),
            (2, [_tokenizer, "--ids", "1,x"]),
            (3, [_tokenizer, "--file", _folder.File("none.txt")]),
            (3, [_tokenizer, "--file", latin]),
            (3, [_tokenizer, "--file", empty]),
            (3, [_tokenizer]),
            (3, [broken, "--text", "a"]),
            (3, ["./no-such-model.gguf", "--text", "a"]),
            (2, ["no-such/model", "--text", "a"]),
        ];
        var text = new StringBuilder();
        foreach (var (code, args) in rows)
        {
            var run = CommandRun.Of(["tokenize", .. args]);
            Assert.Equal((code, ""), (run.ExitCode, run.Output));
            text.Append(run.Error.Replace(_folder.Path, "FOLDER", StringComparison.Ordinal));
        }
        Golden.Match("tokenize-refusals.txt", text.ToString());
    }
}
