using Plimsoll.Planning.Launch;

namespace Plimsoll.Planning.Tests.Launch;

public class LaunchTextTests
{
    [Theory]
    [InlineData("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B")]
    [InlineData("vllm/vllm-openai:v0.11", "vllm/vllm-openai:v0.11")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("NO", "\"NO\"")]
    [InlineData("null", "\"null\"")]
    [InlineData("8192", "\"8192\"")]
    [InlineData("1e3", "\"1e3\"")]
    [InlineData("0x10", "\"0x10\"")]
    [InlineData(".5", "\".5\"")]
    [InlineData("", "\"\"")]
    [InlineData("a: b", "\"a: b\"")]
    [InlineData("a #b", "\"a #b\"")]
    [InlineData("- a", "\"- a\"")]
    [InlineData("--flag", "\"--flag\"")]
    [InlineData("quote\"back\\slash", "\"quote\\\"back\\\\slash\"")]
    [InlineData("two\nlines\u0085", "\"two\\u000alines\\u0085\"")]
    [InlineData("größe 模型", "\"größe 模型\"")]
    public void A_yaml_string_stays_a_string(string value, string scalar) => Assert.Equal(scalar, YamlText.Scalar(value));

    [Fact]
    public void Lists_of_mappings_are_indented_below_their_key()
    {
        var yaml = new YamlText().Value("a", 1).Items("list", item => item.Value("x", true).Map("b", inner => inner.Value("z", 0.5)), item => item.List("w", ["p", "q r"])).EmptyMap("e");
        Assert.Equal("a: 1\nlist:\n  - x: true\n    b:\n      z: 0.5\n  - w:\n      - p\n      - \"q r\"\ne: {}\n", yaml.ToString());
    }

    [Theory]
    [InlineData("C:\\models\\\"x\"\n", "\"C:\\\\models\\\\\\\"x\\\"\\u000a\"")]
    [InlineData("meta-llama/Llama", "\"meta-llama/Llama\"")]
    public void A_python_string_is_escaped(string value, string literal) => Assert.Equal(literal, PythonText.Literal(value));

    [Fact]
    public void Every_option_has_a_source_and_a_meaning_and_is_listed_once()
    {
        foreach (var tool in LaunchTools.All)
        {
            Assert.NotEmpty(tool.Options);
            Assert.All(tool.Options, option => Assert.False(string.IsNullOrWhiteSpace(option.Source) || string.IsNullOrWhiteSpace(option.Meaning), $"{tool.Id} {option.Name}"));
            Assert.Equal(tool.Options.Length, tool.Options.DistinctBy(option => option.Name).Count());
        }
    }

    [Fact]
    public void An_option_that_nobody_checked_is_not_written() =>
        Assert.Throws<InvalidOperationException>(() => new CommandLine(LaunchTools.Vllm, ["vllm"]).With("--max-context", 8192));
}
