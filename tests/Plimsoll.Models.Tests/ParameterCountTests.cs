using Plimsoll.Models.Catalog;

namespace Plimsoll.Models.Tests;

/// <summary>Counts that the publishers' own files state (the sum over the safetensors headers, or the library's own count).</summary>
public class ParameterCountTests
{
    [Theory]
    [InlineData("llama-2-7b", 6_738_415_616)]
    [InlineData("llama-2-13b", 13_015_864_320)]
    [InlineData("llama-2-70b", 68_976_648_192)]
    [InlineData("llama-3.1-8b", 8_030_261_248)]
    [InlineData("llama-3.1-70b", 70_553_706_496)]
    [InlineData("llama-3.1-405b", 405_853_388_800)]
    [InlineData("mistral-7b-v0.1", 7_241_732_096)]
    [InlineData("mixtral-8x7b", 46_702_792_704)]
    [InlineData("qwen2.5-0.5b", 494_032_768)]
    [InlineData("qwen2.5-7b", 7_615_616_512)]
    [InlineData("qwen2.5-72b", 72_706_203_648)]
    [InlineData("qwen3-8b", 8_190_735_360)]
    [InlineData("qwen3-30b-a3b", 30_532_122_624)]
    [InlineData("gemma-7b", 8_537_680_896)]
    [InlineData("gemma-2-9b", 9_241_705_984)]
    [InlineData("gemma-2-27b", 27_227_128_320)]
    [InlineData("phi-3-mini", 3_821_079_552)]
    [InlineData("gpt2", 124_439_808)]
    [InlineData("pythia-6.9b", 6_857_302_016)]
    [InlineData("falcon-7b", 6_921_720_704)]
    [InlineData("smollm2-360m", 361_821_120)]
    public void The_tensors_sum_to_the_published_count(string name, long parameters) => Assert.Equal(parameters, ModelCatalog.Default.Find(name)!.Shape.Parameters);

    [Fact]
    public void DeepSeek_V3_has_671_billion_parameters_and_a_next_token_layer_beside_them()
    {
        var shape = ModelCatalog.Default.Find("deepseek-v3")!.Shape;
        Assert.Equal(671_026_419_200, shape.Tensors.Where(tensor => tensor.Role != TensorRole.NextToken).Sum(tensor => tensor.Elements));
        Assert.Equal(61, shape.Layers.Length);
    }
}
