using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

public class GgufChoiceTests
{
    [Theory]
    [InlineData("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "Q4_K_M")]
    [InlineData("llama-2-7b.Q5_0.gguf", "Q5_0")]
    [InlineData("qwen2.5-0.5b-instruct-fp16.gguf", "FP16")]
    [InlineData("Qwen3-8B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL")]
    [InlineData("BF16/gpt-oss-120b-BF16-00001-of-00001.gguf", "BF16")]
    [InlineData("gpt-oss-20b-mxfp4.gguf", "MXFP4")]
    [InlineData("model.gguf", "model")]
    [InlineData("some-model.gguf", "some-model")]
    public void The_tag_is_the_format_in_the_name(string file, string tag) => Assert.Equal(tag, Assert.Single(Choices(file)).Tag);

    [Theory]
    [InlineData("mmproj-F16.gguf")]
    [InlineData("model-mmproj-f16.gguf")]
    [InlineData("imatrix.gguf")]
    [InlineData("mtp-model-Q8_0.gguf")]
    [InlineData("README.md")]
    public void Companions_are_no_choice(string file) => Assert.Empty(Choices(file));

    [Fact]
    public void Parts_belong_together_and_an_incomplete_set_is_no_choice()
    {
        var choices = Choices("a-Q8_0-00002-of-00002.gguf", "a-Q8_0-00001-of-00002.gguf", "a-Q4_0-00001-of-00003.gguf");

        Assert.Equal(["a-Q8_0-00001-of-00002.gguf", "a-Q8_0-00002-of-00002.gguf"], Assert.Single(choices).Files.Select(file => file.Path));
        Assert.Equal(20, choices[0].Bytes);
    }

    [Theory]
    [InlineData("Q4_K_M", "x-Q4_K_M.gguf", true)]
    [InlineData("q4_k_m", "x.Q4_K_M.gguf", true)]
    [InlineData("Q4_K_XL", "x-UD-Q4_K_XL.gguf", true)]
    [InlineData("Q4_K", "x-Q4_K_M.gguf", false)]
    [InlineData("F16", "x-BF16.gguf", false)]
    [InlineData("Q4_0", "Q4_0/x-00001-of-00001.gguf", true)]
    public void A_tag_matches_whole_words_only(string tag, string file, bool expected) => Assert.Equal(expected, Assert.Single(Choices(file)).Matches(tag));

    private static IReadOnlyList<GgufChoice> Choices(params string[] files) => GgufChoice.Find(files.Select(file => new HubFile(file, 10, null)));
}
