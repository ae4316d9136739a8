using Plimsoll.Models.Catalog;

namespace Plimsoll.Models.Tests;

public class BareSizeTests
{
    [Theory]
    [InlineData("7b", 7_000_000_000, 32, 4096, 32)]
    [InlineData("13B", 13_000_000_000, 40, 5120, 40)]
    [InlineData("70b", 70_000_000_000, 80, 8192, 8)]
    [InlineData("1.5b", 1_500_000_000, 24, 2048, 16)]
    [InlineData("175B", 175_000_000_000, 126, 16384, 8)]
    public void A_bare_size_is_a_Llama_of_exactly_that_many_parameters(string text, long parameters, int layers, int hidden, int keyValueHeads)
    {
        var shape = BareSize.Create(text)!;
        Assert.Equal(parameters, shape.Parameters);
        Assert.Equal(layers, shape.Layers.Length);
        Assert.Equal(hidden, shape.HiddenSize);
        Assert.All(shape.Layers, layer => Assert.Equal(keyValueHeads, layer.Attention!.KeyValueHeads));
    }

    [Fact]
    public void Every_size_that_can_be_typed_is_met_exactly()
    {
        for (var millions = 15L; millions < 2_000_000; millions = millions * 5 / 4 + 1)
            Assert.Equal(millions * 1_000_000, BareSize.Create($"{millions}m")!.Parameters);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("7")]
    [InlineData("7x")]
    [InlineData("-7b")]
    [InlineData("7,5b")]
    [InlineData("a3b")]
    public void Other_texts_are_not_bare_sizes(string text) => Assert.Null(BareSize.Create(text));

    [Theory]
    [InlineData("1m")]
    [InlineData("11t")]
    public void A_size_outside_the_range_is_refused_with_the_range(string text) =>
        Assert.Contains("15m to 10t", Assert.Throws<ArgumentOutOfRangeException>(() => BareSize.Create(text)).Message);
}
