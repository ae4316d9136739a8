using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Checkpoints.Tests.HuggingFace;

public class HubReferenceTests
{
    [Theory]
    [InlineData("org/name", "org/name", "main", null)]
    [InlineData("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B", "main", null)]
    [InlineData("org/name@v1.0", "org/name", "v1.0", null)]
    [InlineData("org/name@refs/pr/12", "org/name", "refs/pr/12", null)]
    [InlineData("org/name:Q4_K_M", "org/name", "main", "Q4_K_M")]
    [InlineData("org/name@dev:UD-Q4_K_XL", "org/name", "dev", "UD-Q4_K_XL")]
    public void A_model_on_the_hub_has_a_name_a_revision_and_a_tag(string text, string repository, string revision, string? tag)
    {
        Assert.True(HubReference.TryParse(text, out var reference));
        Assert.Equal(new HubReference(repository, revision, tag), reference);
        Assert.Equal(text, reference.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("llama-3.1-8b")]
    [InlineData("a/b/c")]
    [InlineData("/name")]
    [InlineData("org/")]
    [InlineData("../name")]
    [InlineData("./name")]
    [InlineData("org/..name")]
    [InlineData("org/na--me")]
    [InlineData("org/name.git")]
    [InlineData("org/na me")]
    [InlineData("org/naïve")]
    [InlineData("org/name@")]
    [InlineData("org/name@../../x")]
    [InlineData("org/name@/x")]
    [InlineData("org/name@a b")]
    [InlineData("org/name@.hidden")]
    [InlineData("org/name:")]
    [InlineData("org/name:a/b")]
    [InlineData("C:\\models\\name")]
    [InlineData("https://huggingface.co/org/name")]
    public void Everything_else_is_none(string text) => Assert.False(HubReference.TryParse(text, out _));

    [Fact]
    public void A_name_longer_than_the_hub_allows_is_none() => Assert.False(HubReference.TryParse("org/" + new string('a', 93), out _));
}
