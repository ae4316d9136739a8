namespace Plimsoll.Numerics.Tests;

public class ClosestNamesTests
{
    private static readonly string[] Models = ["llama-3.1-8b", "llama-3.1-70b", "llama-2-7b", "mistral-7b", "qwen3-8b", "gemma-2-9b"];

    [Theory]
    [InlineData("llama-3.1-8", "llama-3.1-8b")]
    [InlineData("LLAMA-3.1-8B", "llama-3.1-8b")]
    [InlineData("lama-3.1-8b", "llama-3.1-8b")]
    [InlineData("mistarl-7b", "mistral-7b")]
    [InlineData("mistral", "mistral-7b")]
    [InlineData("3.1-70b", "llama-3.1-70b")]
    [InlineData("meta/llama-2-7b", "llama-2-7b")]
    public void The_best_guess_comes_first(string asked, string best) => Assert.Equal(best, ClosestNames.Find(asked, Models)[0]);

    [Fact]
    public void Names_that_contain_the_text_come_before_mere_typing_errors() =>
        Assert.Equal(["q4_1", "iq4_nl", "q8"], ClosestNames.Find("q4", ["q8", "iq4_nl", "q4_1", "i4"]));

    [Fact]
    public void Equally_near_names_keep_their_order() => Assert.Equal(["q4_1", "q4_0", "q4_k"], ClosestNames.Find("q4_x", ["q4_1", "q4_0", "q4_k", "bf16"]));

    [Theory]
    [InlineData("zzzzzz")]
    [InlineData("")]
    [InlineData("   ")]
    public void Nothing_near_gives_nothing(string asked) => Assert.Empty(ClosestNames.Find(asked, Models));

    [Fact]
    public void Only_so_many_are_named_and_none_twice()
    {
        Assert.Equal(2, ClosestNames.Find("llama", Models, 2).Count);
        Assert.Equal(["fp16"], ClosestNames.Find("fp61", ["fp16", "FP16"]));
    }

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("ab", "ba", 1)]
    [InlineData("ca", "abc", 3)]
    [InlineData("fp16", "fp61", 1)]
    public void Distance_counts_edits_and_swaps(string left, string right, int distance)
    {
        Assert.Equal(distance, ClosestNames.Distance(left, right));
        Assert.Equal(distance, ClosestNames.Distance(right, left));
    }
}
