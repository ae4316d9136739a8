using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Fitting;

/// <summary>The levers of an inference run. Each applies to one engine's way of working and returns null elsewhere.</summary>
public static class InferenceLevers
{
    public static IReadOnlyList<Lever<InferenceRequest>> For(InferenceRequest request)
    {
        var levers = new List<Lever<InferenceRequest>>();
        AddAttention(levers, request);
        AddCache(levers, request);
        AddScratch(levers, request);
        AddPrecision(levers, request);
        AddOffload(levers, request);
        AddLoad(levers, request);
        AddDevices(levers);
        return levers;
    }

    private static void AddAttention(List<Lever<InferenceRequest>> levers, InferenceRequest request)
    {
        if (!request.FlashAttention)
            levers.Add(new("use flash attention (drop --no-flash-attention)", "none: faster as well", 0, changed => changed with { FlashAttention = true }, "attention"));
    }

    private static void AddCache(List<Lever<InferenceRequest>> levers, InferenceRequest request)
    {
        if (request.KvFormat.Key.BlockLength > 1 || request.KvFormat.Key.BlockBytes < 2)
            return;
        switch (request.Engine.Id)
        {
            case "llama.cpp" or "ik_llama.cpp":
                levers.Add(Cache("--kv-precision q8_0", "hardly measurable in quality; some decode speed at long contexts", 2, NumberFormats.Q8_0));
                levers.Add(Cache("--kv-precision q4_0", "visible quality loss at long contexts", 5, NumberFormats.Q4_0));
                break;
            case "vllm":
                levers.Add(Cache("--kv-precision fp8", "small quality loss; needs compute capability 8.9 for speed", 2, NumberFormats.Fp8E4M3));
                break;
            default:
                break;
        }
    }

    private static Lever<InferenceRequest> Cache(string action, string cost, int pain, NumberFormat format) => new(action, cost, pain, changed => changed with { KvFormat = new(format, format) }, "cache");

    private static void AddScratch(List<Lever<InferenceRequest>> levers, InferenceRequest request)
    {
        if (request.Engine.Id is "llama.cpp" or "ik_llama.cpp" && request.LlamaCpp.MicroBatch > 128)
            levers.Add(new("--ubatch 128", "slower prompt processing", 2, changed => changed with { LlamaCpp = changed.LlamaCpp with { MicroBatch = 128 } }, "micro-batch"));
        if (request.Engine.Id == "vllm")
        {
            levers.Add(new("--max-batched-tokens 2048", "slower prompt processing under load", 2, changed => changed with { Vllm = changed.Vllm with { MaxBatchedTokens = 2048 } }, "micro-batch"));
            levers.Add(new("--max-sequences 16", "fewer requests at the same time", 2, changed => changed with { Vllm = changed.Vllm with { MaxSequences = 16 } }, "sequences"));
            levers.Add(new("--enforce-eager", "slower decoding of small models", 3, changed => changed.Vllm.EnforceEager ? null : changed with { Vllm = changed.Vllm with { EnforceEager = true } }, "graphs"));
            levers.Add(new("--utilization 0.95", "less room for other programs on the card", 1, changed => changed.Vllm.Utilization >= 0.95 ? null : changed with { Vllm = changed.Vllm with { Utilization = 0.95 } }, "utilization"));
        }
        if (request.Engine.Id == "transformers" && request.PromptTokens > 2048)
            levers.Add(new("--prompt 2048 (feed a long prompt in chunks)", "code that fills the cache chunk by chunk", 3, changed => changed with { Prompt = 2048 }, "prompt"));
    }

    private static void AddPrecision(List<Lever<InferenceRequest>> levers, InferenceRequest request)
    {
        var pain = 3;
        foreach (var precision in ExpectedQuality.Ladder(request.Engine.Id))
        {
            if (ExpectedQuality.Of(precision) is not { } quality || PrecisionScheme.Find(precision) is not { } scheme)
                continue;
            if (Apply(scheme, request) is not { } weights || weights.Total >= request.Weights.Total)
                continue;
            var cost = string.Create(CultureInfo.InvariantCulture, $"perplexity about {quality.PerplexityIncrease:+0.0%} (published for a Llama 3 model)");
            levers.Add(new($"--precision {precision}", cost, pain++, changed => changed with { Weights = weights }, "precision"));
        }
    }

    private static void AddOffload(List<Lever<InferenceRequest>> levers, InferenceRequest request)
    {
        if (request.Engine.Id is not ("llama.cpp" or "ik_llama.cpp") || request.DeviceBytes is not { } device)
            return;
        var layers = request.Model.Layers.Length;
        if (request.Model.Layers.Any(layer => layer.FeedForward?.Experts is not null))
            levers.Add(Smallest("--n-cpu-moe", "slower decoding: those experts are computed on the CPU", 8, 1, layers, (changed, count) => changed with { LlamaCpp = changed.LlamaCpp with { CpuExpertLayers = count } }, device));
        levers.Add(Smallest("--gpu-layers", "much slower: the other layers are computed on the CPU", 12, 1, layers, (changed, count) => changed with { LlamaCpp = changed.LlamaCpp with { GpuLayers = layers - count } }, device, count => layers - count));
    }

    /// <summary>Moves as little to the host as makes it fit; the whole range when nothing does.</summary>
    private static Lever<InferenceRequest> Smallest(string option, string cost, int pain, int from, int to, Func<InferenceRequest, int, InferenceRequest> move, long device, Func<int, int>? shown = null)
    {
        int Needed(InferenceRequest request)
        {
            int low = from, high = to;
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (PlanLimits.Fits(move(request, middle), device))
                    high = middle;
                else
                    low = middle + 1;
            }
            return low;
        }

        return new(option, cost, pain, request => move(request, Needed(request)), "offload") { Describe = request => $"{option} {(shown is null ? Needed(request) : shown(Needed(request))).ToString(CultureInfo.InvariantCulture)}" };
    }

    private static void AddLoad(List<Lever<InferenceRequest>> levers, InferenceRequest request)
    {
        if (request.Batch > 1)
            levers.Add(new("--batch 1", "one sequence at a time", 6, changed => changed with { Batch = 1 }, "batch"));
        for (var context = request.Context / 2; context >= 2048 && context >= request.Context / 8; context /= 2)
        {
            var shorter = context;
            levers.Add(new(string.Create(CultureInfo.InvariantCulture, $"--context {shorter}"), "less text in view", 4, changed => changed with { Context = shorter }, "context"));
        }
    }

    private static void AddDevices(List<Lever<InferenceRequest>> levers) => levers.Add(new("one more GPU of this kind", "its price", 10, changed => OneMore(changed), "devices"));

    private static InferenceRequest? OneMore(InferenceRequest request)
    {
        if (request.DeviceBytes is not { } device)
            return null;
        // Tensor parallelism wants a power of two.
        var count = request.Engine.Id == "vllm" ? request.Parallel.Devices * 2 : request.Parallel.Devices + 1;
        return count > request.Model.Layers.Length ? null : GpuSearch.OnDevices(request, count, device);
    }

    private static WeightSet? Apply(PrecisionScheme scheme, InferenceRequest request)
    {
        try
        {
            return scheme.Apply(request.Model);
        }
        catch (PrecisionNotApplicableException)
        {
            return null;
        }
    }
}
