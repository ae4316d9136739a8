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
    private const string ActivationSource = "derived from the shapes of the modules; 48 published Qwen2.5 totals have a median error of 0.4 %";

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
        ImmutableArray<PlanLine> resident = [weights, .. HeadCopy(request, stage), .. Dequantization(request), slack, context];
        var prompt = CacheLines(request, stage, request.PromptTokens).AddRange(PrefillLines(request, stage, stages));
        var decode = CacheLines(request, stage, request.Context);
        return new(PlanNotes.DeviceName(stage.Index, stages, request.Parallel.Tensor),
        [
            new("load", [weights, .. HeadCopy(request, stage), .. HeadWhileLoading(request, stage), context]),
            new("prefill", [.. resident, .. prompt, Reserve(prompt)]),
            new("decode", [.. resident, .. decode, Reserve(decode)]),
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
        if (request.Engine.Number("awq_cache_growth") is > 0 and var growth && IsQuantizedTo(request, "awq"))
            lines = lines.Add(new(PlanCategory.KvCache, "cache growth with AWQ kernels", new(0, (long)(bytes * growth), (long)(bytes * growth * 1.4)), string.Create(CultureInfo.InvariantCulture, $"{growth:P0} of the KV cache"), request.Engine.Source("awq_cache_growth")));
        var state = KvCache.StateBytes(layers, bytesPerElement: 2) * request.Batch;
        return state == 0
            ? lines
            : lines.Add(new(PlanCategory.KvCache, "recurrent state", new(state, state, state * 2), $"16-bit convolution and recurrent state of {layers.Count(layer => layer.Recurrent is not null)} layers x {request.Batch} sequences", "shapes of the recurrent layers; FP32 in some kernels"));
    }

    /// <summary>The largest of the moments of a prompt pass: inside a layer, at the logits, or where the first GPU receives them.</summary>
    private static IEnumerable<PlanLine> PrefillLines(InferenceRequest request, Stage stage, int stages)
    {
        var culture = CultureInfo.InvariantCulture;
        var tokens = checked(request.PromptTokens * request.Batch);
        var width = ActivationWidth.PerToken(request.Model, request.Parallel.Tensor);
        var layer = 2.0 * tokens * width;
        var scores = 0.0;
        if (!request.FlashAttention)
        {
            var heads = stage.LayersOf(request.Model).Max(part => part.Attention?.Heads ?? 0) / request.Parallel.Tensor;
            scores = 6.0 * request.Batch * heads * request.PromptTokens * request.PromptTokens;
        }

        var rows = request.Engine.Text("prefill_logit_rows") == "all" ? tokens : request.Batch;
        var logits = stage.IsLast ? 6.0 * rows * request.Model.VocabularySize + 2.0 * tokens * request.Model.HiddenSize : 0;
        var received = stage.IsFirst && stages > 1 ? 4.0 * rows * request.Model.VocabularySize : 0;
        if (Math.Max(logits, received) > layer + scores)
        {
            yield return logits >= received
                ? new(PlanCategory.Activations, "logits", ByteRange.Around(logits, 0.85, 1.3), string.Create(culture, $"{rows} rows x {request.Model.VocabularySize} x 6 B (16-bit and an FP32 copy), and 2 B x {tokens} x {request.Model.HiddenSize} hidden"), request.Engine.Source("prefill_logit_rows"))
                : new(PlanCategory.Activations, "logits", ByteRange.Around(received, 0.85, 1.3), string.Create(culture, $"{rows} rows x {request.Model.VocabularySize} x 4 B, moved to the first GPU"), "accelerate returns outputs on the device of the inputs; totals of Qwen2-72B on three GPUs stay 4 to 6 % low with it");
            yield break;
        }
        yield return new(PlanCategory.Activations, "activations of one layer", ByteRange.Around(layer, 0.9, 1.1), string.Create(culture, $"2 B x {tokens} prompt tokens x {width} values (widest point of a layer: 3 f + 4 h)"), ActivationSource);
        if (scores > 0)
            yield return new(PlanCategory.Activations, "attention scores", ByteRange.Around(scores, 4 / 6.0, 8 / 6.0), string.Create(culture, $"{request.Batch} x heads x {request.PromptTokens}^2 x 6 B (16-bit scores and their FP32 softmax)"), "eager attention in transformers");
    }

    /// <summary>Where the output head exists a second time beside the weights of the checkpoint.</summary>
    private static IEnumerable<PlanLine> HeadCopy(InferenceRequest request, Stage stage)
    {
        var tied = request.Model.TiedEmbeddings;
        var held = stage.IsLast && request.Engine.Text("second_head") switch
        {
            "tied_or_4bit" => tied || IsQuantizedTo(request, "awq") || IsQuantizedTo(request, "gptq:4"),
            "tied_fp8" => tied && IsQuantizedTo(request, "fp8"),
            _ => false,
        };
        if (held)
            yield return HeadLine(request, "second copy of the head", "second_head");
    }

    private static IEnumerable<PlanLine> HeadWhileLoading(InferenceRequest request, Stage stage)
    {
        if (stage.IsLast && request.Engine.Text("head_while_loading") == "tied_awq" && request.Model.TiedEmbeddings && IsQuantizedTo(request, "awq"))
            yield return HeadLine(request, "output head while loading", "head_while_loading");
    }

    private static PlanLine HeadLine(InferenceRequest request, string name, string constant) => new(
        PlanCategory.Weights,
        name,
        HeadBytes(request.Model),
        string.Create(CultureInfo.InvariantCulture, $"{request.Model.VocabularySize} x {request.Model.HiddenSize} x 2 B"),
        request.Engine.Source(constant));

    private static ByteRange HeadBytes(ModelShape model)
    {
        var bytes = 2L * model.VocabularySize * model.HiddenSize;
        return new(bytes * 2 / 3, bytes, bytes * 21 / 20);
    }

    /// <summary>The weights are a checkpoint of this kind; the plain formats of the rules of thumb (<c>fp8</c> for every parameter) are none.</summary>
    private static bool IsQuantizedTo(InferenceRequest request, string kind) =>
        request.Weights.Precision.StartsWith(kind, StringComparison.Ordinal) && request.Weights.Precision.Contains(':', StringComparison.Ordinal);

    /// <summary>The 4-bit GPTQ kernels unpack one linear layer at a time into a scratch buffer.</summary>
    private static IEnumerable<PlanLine> Dequantization(InferenceRequest request)
    {
        if (!IsQuantizedTo(request, "gptq:4"))
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
