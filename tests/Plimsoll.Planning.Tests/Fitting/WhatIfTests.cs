using Plimsoll.Numerics;
using Plimsoll.Planning.Fitting;
using Plimsoll.Planning.Tests.Inference;

namespace Plimsoll.Planning.Tests.Fitting;

public class WhatIfTests
{
    [Theory]
    [InlineData("llama-3.1-70b", "q4_k_m", "llama.cpp")]
    [InlineData("qwen3-30b-a3b", "q8_0", "llama.cpp")]
    [InlineData("llama-3.1-8b", "bf16", "transformers")]
    [InlineData("qwen3-32b", "bf16", "vllm")]
    public void Every_lever_saves_what_it_says_and_the_combination_fits(string model, string precision, string engine)
    {
        var usable = ByteSize.FromGiB(15.5).Bytes;
        var request = Requests.For(model, precision, engine, 16384) with { DeviceBytes = usable };
        var result = WhatIf.Evaluate(request, InferenceLevers.For(request), InferencePlanner.Plan, changed => PlanLimits.Fits(changed, usable));

        var before = InferencePlanner.Plan(request).Peak.Expected;
        Assert.NotEmpty(result.Effects);
        Assert.All(result.Effects, effect => Assert.Equal(before - effect.PeakBytes, effect.SavesBytes));
        Assert.Equal(result.Effects.OrderByDescending(effect => effect.SavesBytes).Select(effect => effect.Action), result.Effects.Select(effect => effect.Action));
        Assert.True(result.CombinationFits);
        Assert.InRange(result.CombinationPeakBytes, 1, usable);
    }

    [Fact]
    public void A_job_that_fits_needs_no_combination()
    {
        var request = Requests.For("7b", "int4") with { DeviceBytes = ByteSize.FromGiB(24).Bytes };
        var result = WhatIf.Evaluate(request, InferenceLevers.For(request), InferencePlanner.Plan, _ => true);
        Assert.Empty(result.Combination);
        Assert.True(result.CombinationFits);
    }
}
