using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>Hugging Face transformers on PyTorch: weights as stored, a cache that grows token by token, one prompt pass.</summary>
internal sealed class TransformersPlanner : IEnginePlanner
{
    private const string ActivationSource = "derived from the shapes of the modules; 112 published Qwen2.5 rows within 0.7 % (BF16, median)";

    public MemoryPlan Plan(InferenceRequest request)
    {
        var stages = Placement.Stages(request.Model.Layers.Length, request.Parallel.Pipeline);
        return new()
        {
            Devices = [.. stages.Select(stage => PlanDevice(request, stage, stages.Length))],
            Confidence = PlanNotes.Confidence(request),
            Notes = [.. PlanNotes.Common(request)],
        };
    }

    private static DevicePlan PlanDevice(InferenceRequest request, Stage stage, int stages)
    {
        var weights = new PlanLine(PlanCategory.Weights, "weights", ByteRange.Exactly(Placement.WeightBytes(request, stage)), PlanNotes.WeightFormula(request, stage, stages), PlanNotes.WeightSource(request));
        var slack = request.Engine.Line(PlanCategory.Overhead, "resident slack", "resident_slack");
        var context = request.Engine.Line(PlanCategory.Overhead, "CUDA context", "cuda_context", MemoryPlace.Driver);
        var always = ImmutableArray.Create(weights).AddRange(HeadCopy(request, stage, loading: false)).AddRange(Dequantization(request)).Add(slack).Add(context);

        ImmutableArray<PlanLine> load = [weights, .. HeadCopy(request, stage, loading: true), slack, context];
        var prompt = CacheLines(request, stage, request.PromptTokens).AddRange(PrefillLines(request, stage));
        var decode = CacheLines(request, stage, request.Context);
        return new(PlanNotes.DeviceName(stage.Index, stages, request.Parallel.Tensor),
        [
            new("load", load),
            new("prefill", [.. always, .. prompt, Reserve(prompt)]),
            new("decode", [.. always, .. decode, Reserve(decode)]),
        ]);
    }

    private static ImmutableArray<PlanLine> CacheLines(InferenceRequest request, Stage stage, long tokens)
    {
        var layers = stage.LayersOf(request.Model).ToList();
        var keepsWindow = request.Engine.Text("window_cache") == "dropped";
        long Cells(AttentionShape attention) => keepsWindow && attention.Window is { } window ? Math.Min(window, tokens) : tokens;
        var bytes = layers.Sum(layer => layer.Attention is { } attention
            ? checked(KvCache.BytesPerToken(attention, request.KvFormat, shards: request.Parallel.Tensor) * Cells(attention) * request.Batch)
            : 0);
        var lines = ImmutableArray.Create(new PlanLine(PlanCategory.KvCache, "KV cache", ByteRange.Exactly(bytes), KvFormula.Describe(layers, request, tokens, keepsWindow), "keys and values of every cached token; transformers allocates no spare blocks"));
        var state = KvCache.StateBytes(layers, bytesPerElement: 2) * request.Batch;
        return state == 0
            ? lines
            : lines.Add(new(PlanCategory.KvCache, "recurrent state", new(state, state, state * 2), $"16-bit convolution and recurrent state of {layers.Count(layer => layer.Recurrent is not null)} layers x {request.Batch} sequences", "shapes of the recurrent layers; FP32 in some kernels"));
    }

    private static IEnumerable<PlanLine> PrefillLines(InferenceRequest request, Stage stage)
    {
        var tokens = checked(request.PromptTokens * request.Batch);
        var width = ActivationWidth.PerToken(request.Model, request.Parallel.Tensor);
        yield return new(PlanCategory.Activations, "activations of one layer", ByteRange.Around(2.0 * tokens * width, 0.9, 1.1),
            string.Create(CultureInfo.InvariantCulture, $"2 B x {tokens} prompt tokens x {width} values (widest point of a layer: 3 f + 4 h)"), ActivationSource);

        if (!request.FlashAttention)
        {
            var heads = stage.LayersOf(request.Model).Max(layer => layer.Attention?.Heads ?? 0) / request.Parallel.Tensor;
            var scores = (double)request.Batch * heads * request.PromptTokens * request.PromptTokens;
            yield return new(PlanCategory.Activations, "attention scores", ByteRange.Around(scores * 6, 4 / 6.0, 8 / 6.0),
                string.Create(CultureInfo.InvariantCulture, $"{request.Batch} x {heads} heads x {request.PromptTokens}² x 6 B (16-bit scores and their FP32 softmax)"), "eager attention in transformers");
        }
        if (stage.IsLast)
        {
            var rows = request.Engine.Text("prefill_logit_rows") == "all" ? tokens : request.Batch;
            yield return new(PlanCategory.Activations, "logits", ByteRange.Exactly(checked(rows * request.Model.VocabularySize * 6)),
                string.Create(CultureInfo.InvariantCulture, $"{rows} rows x {request.Model.VocabularySize} x 6 B (16-bit and an FP32 copy)"), request.Engine.Source("prefill_logit_rows"));
        }
    }

    /// <summary>Where a tied output head becomes a tensor of its own in memory.</summary>
    private static IEnumerable<PlanLine> HeadCopy(InferenceRequest request, Stage stage, bool loading)
    {
        if (!request.Model.TiedEmbeddings || !stage.IsLast)
            yield break;
        var rule = request.Engine.Text("tied_head");
        var copied = rule == "copied"
            || (rule == "copied_when_quantized" && (request.Weights.Precision.StartsWith("fp8", StringComparison.Ordinal) || (loading && request.Weights.Precision.StartsWith("awq", StringComparison.Ordinal))));
        // The plain "fp8" of a rule of thumb is no checkpoint that transformers could load.
        if (!copied || request.Weights.Precision == "fp8" && request.Model.Source == "bare size")
            yield break;
        var bytes = 2L * request.Model.VocabularySize * request.Model.HiddenSize;
        yield return new(PlanCategory.Weights, "second copy of the tied head", ByteRange.Exactly(bytes),
            string.Create(CultureInfo.InvariantCulture, $"{request.Model.VocabularySize} x {request.Model.HiddenSize} x 2 B"), request.Engine.Source("tied_head"));
    }

    /// <summary>The 4-bit GPTQ kernels unpack one linear layer at a time into a scratch buffer.</summary>
    private static IEnumerable<PlanLine> Dequantization(InferenceRequest request)
    {
        if (!request.Weights.Precision.StartsWith("gptq:4", StringComparison.Ordinal))
            yield break;
        var largest = request.Weights.Tensors
            .Where(tensor => tensor.Shape.IsLinear && tensor.Shape.Layer is not null && tensor.Format.BitsPerWeight < 8)
            .Max(tensor => (long?)tensor.Shape.ElementsOfOne) ?? 0;
        yield return new(PlanCategory.Overhead, "dequantization scratch", new(0, 2 * largest, 2 * largest),
            string.Create(CultureInfo.InvariantCulture, $"largest quantized linear: {largest} x 2 B"), "exllama kernels keep one unpacked FP16 matrix; Qwen2.5 GPTQ-Int4 rows need 4, 38 and 106 MiB more than their BF16 rows");
    }

    /// <summary>What the caching allocator holds beyond what is allocated.</summary>
    private static PlanLine Reserve(ImmutableArray<PlanLine> changing)
    {
        var moving = changing.Sum(line => line.Bytes.Expected);
        return new(PlanCategory.Overhead, "allocator reserve", new(0, moving / 20, moving * 3 / 10), $"5 % of the cache and activations ({new ByteSize(moving)}), up to 30 %", "reserved against allocated memory in published PEFT runs: 1.0 to 1.45", MemoryPlace.Driver);
    }
}
