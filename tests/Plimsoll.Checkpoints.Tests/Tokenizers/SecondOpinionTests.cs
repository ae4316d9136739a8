using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;
using Plimsoll.Checkpoints.Tokenizers.Splitting;
using Tokenizer = Plimsoll.Checkpoints.Tokenizers.Tokenizer;

namespace Plimsoll.Checkpoints.Tests.Tokenizers;

/// <summary>Microsoft.ML.Tokenizers 2.0.1 with the same vocabularies. Its patterns see surrogates one by one, so only text of the first plane is compared.</summary>
public class SecondOpinionTests
{
    [Theory]
    [InlineData("gpt2/gpt2-vocab.json", "gpt2/gpt2-merges.txt", SplitPatterns.Gpt2)]
    [InlineData("qwen2/vocab.json", "qwen2/merges.txt", SplitPatterns.Qwen2)]
    public void Vocabulary_and_merges_give_the_same_ids(string vocabulary, string merges, string pattern)
    {
        using var folder = new TemporaryFolder();
        File.Copy(SharedData.Require("tokenizers/" + vocabulary), folder.File("vocab.json"));
        File.Copy(SharedData.Require("tokenizers/" + merges), folder.File("merges.txt"));
        folder.Write("tokenizer_config.json", $$"""{ "tokenizer_class": "{{(vocabulary.StartsWith("qwen2", StringComparison.Ordinal) ? "Qwen2Tokenizer" : "GPT2Tokenizer")}}" }""");
        var theirs = BpeTokenizer.Create(new BpeOptions(folder.File("vocab.json"), folder.File("merges.txt"))
        {
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(new Regex(pattern), null),
        });
        Compare(Tokenizer.Load(folder.Path), text => [.. theirs.EncodeToIds(text)]);
    }

    [Fact]
    public void Ranks_give_the_same_ids()
    {
        var path = SharedData.Require("tokenizers/llama3/tokenizer.model");
        var theirs = TiktokenTokenizer.Create(path, new RegexPreTokenizer(new Regex(SplitPatterns.Llama3), null), null);
        Compare(Tokenizer.Load(path), text => [.. theirs.EncodeToIds(text)]);
    }

    private static void Compare(Tokenizer ours, Func<string, int[]> theirs)
    {
        var lines = RandomText.Lines(seed: 3, count: 400).Where(line => !line.Any(char.IsSurrogate) && !line.Contains("<|", StringComparison.Ordinal)).ToList();
        Assert.True(lines.Count > 50);
        foreach (var line in lines)
            Assert.Equal((line, string.Join(' ', theirs(line))), (line, string.Join(' ', ours.Encode(line, addSpecial: false))));
    }
}
