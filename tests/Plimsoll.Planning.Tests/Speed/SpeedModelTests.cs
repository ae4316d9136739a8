using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Speed;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Speed;

public class SpeedModelTests
{
    private static readonly SpeedModel Model = SpeedModel.Default;

    [Fact]
    public void The_expected_figure_lies_between_the_bounds_and_the_parts_make_up_the_step()
    {
        var estimate = Model.Decode(Input("llama-3.1-8b", "gguf:q4_k_m", "llama.cpp", "rtx-4090")).Estimate!;
        Assert.True(estimate.Low < estimate.Expected && estimate.Expected < estimate.High);
        var step = 1 / estimate.Expected;
        Assert.InRange(estimate.Terms.Max(term => term.Seconds), step * 0.3, step);
        Assert.InRange(estimate.Terms.Sum(term => term.Seconds), step, step * 1.6);
        Assert.Empty(estimate.Notes);
    }

    [Theory]
    [InlineData("llama.cpp", "gguf:q4_k_m")]
    [InlineData("vllm", "bf16")]
    [InlineData("sglang", "bf16")]
    [InlineData("transformers", "bf16")]
    public void More_context_never_decodes_faster(string engine, string precision)
    {
        var speeds = new[] { 0, 1, 100, 2048, 16384, 131072 }.Select(context => Decode(Input("llama-3.1-8b", precision, engine, "a100-80gb", context: context))).ToList();
        Assert.Equal(speeds.OrderDescending(), speeds);
        Assert.True(speeds[^1] < speeds[0] * 0.95);
    }

    [Fact]
    public void More_bandwidth_and_fewer_bits_never_decode_slower()
    {
        var gpu = GpuCatalog.Default.Find("rtx-4090")!;
        var slower = Input("llama-3.1-8b", "gguf:q8_0", "llama.cpp", "rtx-4090") with { Gpu = gpu with { Bandwidth = new(500, "test") } };
        var faster = slower with { Gpu = gpu };
        Assert.True(Decode(slower) < Decode(faster));
        Assert.True(Decode(faster) < Decode(Input("llama-3.1-8b", "gguf:q4_k_m", "llama.cpp", "rtx-4090")));
    }

    [Fact]
    public void No_token_is_faster_than_reading_its_weights_once()
    {
        foreach (var gpu in GpuCatalog.Default.All.Where(gpu => gpu.Bandwidth is not null))
        {
            foreach (var (engine, precision) in new[] { ("llama.cpp", "gguf:q4_k_m"), ("vllm", "bf16"), ("transformers", "bf16") })
            {
                var input = Input("llama-3.1-8b", precision, engine, gpu.Id);
                Assert.InRange(Decode(input), 0.01, gpu.Bandwidth!.Value * 1e9 / input.StepBytes);
            }
        }
    }

    [Fact]
    public void A_batch_decodes_more_in_total_and_less_per_sequence()
    {
        var one = Decode(Input("llama-3.1-8b", "bf16", "vllm", "a100-80gb"));
        var eight = Decode(Input("llama-3.1-8b", "bf16", "vllm", "a100-80gb") with { Batch = 8 });
        Assert.InRange(eight, one * 2, one * 8);
        // At some size the matrix units are the limit, and more sequences bring nothing more.
        var huge = Decode(Input("llama-3.1-8b", "bf16", "vllm", "a100-80gb") with { Batch = 100_000, KeyValueBytes = 0 });
        Assert.InRange(huge, eight, 312e12 / (2 * 6.9e9));
    }

    [Fact]
    public void Tensor_parallel_decodes_faster_and_layer_split_does_not()
    {
        var single = Input("llama-3.1-70b", "gguf:q4_k_m", "llama.cpp", "a100-80gb");
        Assert.True(Decode(single with { GpuCount = 4 }) <= Decode(single));
        var serving = Input("llama-3.1-70b", "fp8:block128", "vllm", "a100-80gb");
        Assert.InRange(Decode(serving with { GpuCount = 4 }) / Decode(serving), 1.3, 4);
    }

    [Fact]
    public void A_growing_batch_visits_more_experts_but_never_more_than_all()
    {
        var input = Input("Qwen3-30B-A3B", "bf16", "vllm", "h200");
        Assert.Equal(8.0 / 128, (input.StepBytes - input.DenseBytes) / input.ExpertBytes, 9);
        Assert.Equal(1 - Math.Pow(1 - 8.0 / 128, 16), ((input with { Batch = 16 }).StepBytes - input.DenseBytes) / input.ExpertBytes, 9);
        Assert.InRange((input with { Batch = 10_000 }).StepBytes, input.DenseBytes + input.ExpertBytes * 0.999, input.DenseBytes + input.ExpertBytes);
    }

    [Fact]
    public void The_active_bytes_of_a_token_are_the_weights_without_the_input_embedding()
    {
        var shape = ModelCatalog.Default.Find("llama-3.1-8b")!.Shape;
        var input = Input("llama-3.1-8b", "bf16", "vllm", "a100-80gb", context: 1000);
        Assert.Equal(2.0 * (shape.Parameters - 128256L * 4096), input.DenseBytes);
        // 32 layers x 8 heads x 128 x (K and V) x 2 bytes x 1000 tokens
        Assert.Equal(131_072_000, input.KeyValueBytes);
        var tied = ModelCatalog.Default.Find("qwen2.5-0.5b")!.Shape;
        Assert.Equal(2.0 * tied.Parameters, Input("qwen2.5-0.5b", "bf16", "vllm", "a100-80gb").DenseBytes);
    }

    [Fact]
    public void A_prompt_of_one_token_costs_what_a_decode_step_costs_about()
    {
        var input = Input("llama-3.1-8b", "bf16", "vllm", "a100-80gb", prompt: 1);
        Assert.InRange(Model.Prefill(input).Estimate!.Expected / Decode(input), 0.5, 2);
    }

    [Fact]
    public void Longer_prompts_use_the_matrix_units_better_until_attention_takes_over()
    {
        double Prefill(int tokens) => Model.Prefill(Input("llama-3.1-8b", "bf16", "vllm", "h100-sxm", prompt: tokens)).Estimate!.Expected;
        Assert.True(Prefill(16) < Prefill(256) && Prefill(256) < Prefill(2048));
        Assert.True(Prefill(131072) < Prefill(2048));
    }

    [Fact]
    public void What_nobody_measured_has_wider_bounds_and_says_so()
    {
        var known = Model.Decode(Input("llama-3.1-8b", "bf16", "vllm", "a100-80gb")).Estimate!;
        var unknown = Model.Decode(Input("llama-3.1-8b", "nf4", "vllm", "mi300x")).Estimate!;
        Assert.True(unknown.High / unknown.Low > known.High / known.Low);
        Assert.Equal(["no measurements of nf4 on vllm: bounds are wider", "no measurements of vllm on CDNA3: bounds are wider"], unknown.Notes);
    }

    [Fact]
    public void Without_a_bandwidth_there_is_no_estimate_but_a_reason()
    {
        var input = Input("llama-3.1-8b", "bf16", "vllm", "a100-80gb") with { Gpu = GpuSpec.FromMemory(Numerics.ByteSize.FromGiB(24)) };
        Assert.Equal(new SpeedResult(null, "the memory bandwidth of 24.00 GiB is not known"), Model.Decode(input));
        Assert.Null(Model.Prefill(input).Estimate);
    }

    [Fact]
    public void An_engine_that_nobody_measured_is_refused_with_those_that_were() =>
        Assert.Equal(
            "no speed measurements of tgi; measured are llama.cpp, transformers, vllm, sglang",
            Model.Decode(Input("llama-3.1-8b", "bf16", "tgi", "a100-80gb")).Reason);

    [Fact]
    public void Every_precision_belongs_to_a_kernel_family()
    {
        var families = PrecisionScheme.All.ToDictionary(scheme => scheme.Name, scheme => WeightClass.Of(scheme.Name));
        Assert.Equal("f16", families["bf16"]);
        Assert.Equal("nf4", families["nf4-dq"]);
        Assert.Equal("fp8", families["fp8:block128"]);
        Assert.Equal("int8", WeightClass.Of("gptq:8bit-g128"));
        Assert.Equal("gptq4", WeightClass.Of("gptq:4bit-g32"));
        Assert.Equal("int8", WeightClass.Of("ct:w8a16"));
        Assert.Equal("gptq4", WeightClass.Of("ct:w4a16-g128"));
        Assert.Equal("ggml", WeightClass.Of("gguf:q4_k_m"));
        Assert.Equal("f16", WeightClass.Of("gguf:bf16"));
    }

    private static double Decode(SpeedInput input) => Model.Decode(input).Estimate!.Expected;

    private static SpeedInput Input(string model, string precision, string engine, string gpu, int context = 1000, int prompt = 0)
    {
        var shape = ModelCatalog.Default.Find(model)!.Shape;
        return SpeedInput.From(shape, PrecisionScheme.Find(precision)!.Apply(shape), engine, new(GpuCatalog.Default.Find(gpu)!, 1), context, prompt);
    }
}
