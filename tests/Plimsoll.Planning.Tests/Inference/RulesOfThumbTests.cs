namespace Plimsoll.Planning.Tests.Inference;

/// <summary>The figures that everybody quotes.</summary>
public class RulesOfThumbTests
{
    [Theory]
    [InlineData("7b", "fp32", 28_000_000_000)]
    [InlineData("7b", "fp16", 14_000_000_000)]
    [InlineData("7b", "int8", 7_000_000_000)]
    [InlineData("7b", "int4", 3_500_000_000)]
    [InlineData("13b", "fp16", 26_000_000_000)]
    [InlineData("70b", "fp16", 140_000_000_000)]
    [InlineData("70b", "int4", 35_000_000_000)]
    public void A_bare_size_weighs_exactly_its_parameters(string model, string precision, long bytes) =>
        Assert.Equal(bytes, Requests.For(model, precision).Weights.Total.Bytes);
}
