using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Models.Demo;
using Plimsoll.Quantization.Allocation;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Runtime;

namespace Plimsoll.Quantization.Tests.Allocation;

public sealed class GgufAllocatorTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly LocatedModel demo;

    public GgufAllocatorTests() => demo = ModelLocator.FromPath(DemoModel.Unpack(folder.Path));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_tensor_that_diverts_the_predictions_most_gets_most_bits_and_the_file_has_the_bytes_that_were_counted()
    {
        var allocator = Measured(new() { FileName = "m.gguf", FileType = GgufFileType.Find("q8_0")! }, "blk.1.ffn_down.weight", threads: 2);
        var allocation = allocator.Spend(allocator.Weights * 4 / 8);
        var most = allocation.Tensors.MaxBy(tensor => tensor.BitsPerWeight)!;
        Assert.Equal("blk.1.ffn_down.weight", most.Tensor.Name);
        Assert.InRange(allocation.Bytes, allocator.LeastBytes, allocator.Weights * 4 / 8);

        var plan = GgufConversion.Plan(demo, new() { FileName = "m.gguf", FileType = GgufFileType.Find("q8_0")!, Allocated = allocation.Types });
        Assert.Equal(plan.Files[0].Length, plan.Files[0].Header.Length + allocation.Bytes);
    }

    [Fact]
    public void Types_do_not_depend_on_threads_and_those_that_the_user_names_stay()
    {
        GgufRecipe recipe = new() { FileName = "m.gguf", FileType = GgufFileType.Find("q8_0")!, Overrides = [GgufTypeOverride.Parse("attn_v=q8_0")], EmbeddingType = GgufFileType.Type("Q6_K") };
        var (one, three) = (Measured(recipe, "none", threads: 1), Measured(recipe, "none", threads: 3));
        var types = one.Spend(one.Weights * 5 / 8).Types;
        Assert.Equal(types, three.Spend(one.Weights * 5 / 8).Types);
        Assert.Equal("Q6_K", types["token_embd.weight"].Name);
        Assert.All(types.Where(type => type.Key.Contains("attn_v", StringComparison.Ordinal)), type => Assert.Equal("Q8_0", type.Value.Name));
    }

    [Fact]
    public void A_mixture_of_llama_cpp_is_weighed_by_the_same_measure()
    {
        var allocator = Measured(new() { FileName = "m.gguf", FileType = GgufFileType.Find("q8_0")! }, "none", threads: 2);
        var (small, large) = (allocator.Standard(GgufFileType.Find("q4_k_s")!)!, allocator.Standard(GgufFileType.Find("q6_k")!)!);
        Assert.True(small.Bytes < large.Bytes && small.Divergence > large.Divergence);
        Assert.True(allocator.Spend(small.Bytes).Divergence <= small.Divergence);
        Assert.Null(allocator.Standard(GgufFileType.Find("tq1_0")!));
    }

    /// <summary>Sensitivities that the test decides: while the tensor of that name is rounded, predictions are far off.</summary>
    private GgufAllocator Measured(GgufRecipe recipe, string sensitive, int threads)
    {
        var allocator = new GgufAllocator(demo, recipe, withFeedback: false);
        allocator.MeasureErrors(4, threads, _ => { }, CancellationToken.None);
        using var model = TransformerModel.Load(demo);
        var current = "";
        allocator.MeasureInfluence(model, threads, () => current == sensitive ? 100 : 1, (_, name) => current = name);
        return allocator;
    }
}
