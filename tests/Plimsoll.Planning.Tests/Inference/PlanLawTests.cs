using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Tests.Inference;

/// <summary>What must hold for every model and engine.</summary>
public class PlanLawTests
{
    public static TheoryData<string, string, string> Runs => new()
    {
        { "llama-3.1-8b", "bf16", "transformers" },
        { "qwen2.5-0.5b", "awq", "transformers@4.38" },
        { "qwen3-30b-a3b", "q4_k_m", "llama.cpp" },
        { "gemma-2-9b", "q8_0", "llama.cpp" },
        { "deepseek-v3", "fp8:block128", "vllm" },
        { "gpt2", "fp16", "litgpt" },
        { "mistral-7b-v0.1", "q4_0", "plimsoll" },
        { "7b", "int4", "ik_llama.cpp" },
    };

    [Theory, MemberData(nameof(Runs))]
    public void More_context_never_needs_less_memory(string model, string precision, string engine)
    {
        var request = Requests.For(model, precision, engine, context: 1);
        var before = default(ByteRange);
        for (var context = 1L; context <= 200_000; context = context * 3 + 1)
        {
            var peak = InferencePlanner.Plan(request with { Context = context }).Peak;
            Assert.True(peak.Low >= before.Low && peak.Expected >= before.Expected && peak.High >= before.High, $"context {context}");
            before = peak;
        }
    }

    [Theory, MemberData(nameof(Runs))]
    public void A_larger_batch_never_needs_less_memory(string model, string precision, string engine)
    {
        var request = Requests.For(model, precision, engine, context: 1000);
        var before = 0L;
        for (var batch = 1; batch <= 300; batch = batch * 2 + 1)
        {
            var peak = InferencePlanner.Plan(request with { Batch = batch }).Peak.Expected;
            Assert.True(peak >= before, $"batch {batch}");
            before = peak;
        }
    }

    [Theory, MemberData(nameof(Runs))]
    public void The_lines_of_a_phase_sum_to_its_total_in_every_category(string model, string precision, string engine)
    {
        var plan = InferencePlanner.Plan(Requests.For(model, precision, engine));
        foreach (var phase in plan.Devices.SelectMany(device => device.Phases))
        {
            Assert.Equal(phase.Lines.Sum(line => line.Bytes.Expected), phase.Total.Expected);
            Assert.Equal(phase.Total.Expected, Enum.GetValues<PlanCategory>().Sum(category => phase.Of(category).Expected));
            Assert.All(phase.Lines, line => Assert.NotEqual("", line.Formula + line.Source));
        }
    }

    [Theory, MemberData(nameof(Runs))]
    public void The_limits_are_the_last_values_that_fit(string model, string precision, string engine)
    {
        var request = Requests.For(model, precision, engine, context: 512);
        request = request with { Model = request.Model with { MaxContext = null } };
        var usable = InferencePlanner.Plan(request with { Context = 5_000, Batch = 3 }).Peak.Expected + 12_345;
        // vLLM takes 92 % of the card.
        request = request with { DeviceBytes = engine == "vllm" ? usable = usable * 10 / 9 : null };

        var limits = PlanLimits.Find(request, usable);

        Assert.True(PlanLimits.Fits(request with { Context = limits.MaxContext }, usable));
        // A model whose every layer has a window may stop growing.
        Assert.True(limits.MaxContext >= 1L << 24 || !PlanLimits.Fits(request with { Context = limits.MaxContext + 1 }, usable));
        Assert.True(PlanLimits.Fits(request with { Batch = limits.MaxBatch }, usable));
    }

    [Theory]
    [InlineData("llama-3.1-70b", "bf16", "transformers")]
    [InlineData("qwen3-30b-a3b", "bf16", "vllm")]
    [InlineData("llama-3.1-70b", "q4_k_m", "llama.cpp")]
    public void Pipeline_stages_hold_the_model_once(string model, string precision, string engine)
    {
        var request = Requests.For(model, precision, engine);
        foreach (var stages in new[] { 2, 3, 5, 8 })
        {
            var plan = InferencePlanner.Plan(request with { Parallel = new(1, stages, 1) });
            Assert.Equal(stages, plan.Devices.Length);
            Assert.Equal(request.Weights.Total.Bytes, plan.Bytes("weights"));
        }
    }

    [Fact]
    public void Tensor_parallel_ranks_replicate_key_value_heads_once_there_are_more_ranks_than_heads()
    {
        var request = Requests.For("qwen3-30b-a3b", engine: "vllm") with { Vllm = new() { EnforceEager = true } };

        long Cache(int tensor) => InferencePlanner.Plan(request with { Parallel = new(tensor, 1, 1) }).Bytes("KV cache");

        Assert.Equal(Cache(1) / 4, Cache(4));
        Assert.Equal(Cache(4), Cache(8)); // 4 KV heads: the eighth rank holds a copy.
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-5, 1)]
    [InlineData(1, 0)]
    public void Counts_that_are_not_positive_are_the_callers_mistake(long context, int batch) =>
        Assert.ThrowsAny<ArgumentOutOfRangeException>(() => InferencePlanner.Plan(Requests.For("7b") with { Context = context, Batch = batch }));

    [Fact]
    public void An_absurd_context_overflows_loudly_instead_of_wrapping() =>
        Assert.Throws<OverflowException>(() => InferencePlanner.Plan(Requests.For("7b") with { Context = long.MaxValue / 8 }));
}
