using System.Globalization;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>Our own CPU engine: weights mapped at their packed size, a cache of the asked length, scratch for one micro-batch in FP32.</summary>
internal sealed class CpuPlanner : IEnginePlanner
{
    public MemoryPlan Plan(InferenceRequest request)
    {
        var weights = new PlanLine(PlanCategory.Weights, "weights", ByteRange.Exactly(request.Weights.Total.Bytes), string.Create(CultureInfo.InvariantCulture, $"{request.Model.Parameters} parameters x {request.Weights.BitsPerWeight:0.####} bits ({request.Weights.Precision})"), PlanNotes.WeightSource(request));
        var process = request.Engine.Line(PlanCategory.Overhead, "process", "process");
        var cells = checked(request.Context * request.Batch);
        var cacheBytes = checked(request.Model.Layers.Sum(layer => layer.Attention is { } attention
            ? KvCache.BytesPerToken(attention, request.KvFormat, LatentCacheLayout.Compressed) * (attention.Window is { } window ? Math.Min(window, request.Context) * request.Batch : cells)
            : 0) + KvCache.StateBytes(request.Model.Layers) * request.Batch);
        var cache = new PlanLine(PlanCategory.KvCache, "KV cache", ByteRange.Exactly(cacheBytes), KvFormula.Describe(request.Model.Layers, request, request.Context, dropsWindow: true, LatentCacheLayout.Compressed), "cells of a window layer are reused");
        var microBatch = Math.Min(request.LlamaCpp.MicroBatch, request.PromptTokens);
        var width = ActivationWidth.PerToken(request.Model);
        var scratch = new PlanLine(PlanCategory.Activations, "scratch", ByteRange.Around(4.0 * (microBatch * width + request.Model.VocabularySize), 0.8, 1.5),
            string.Create(CultureInfo.InvariantCulture, $"4 B x ({microBatch} tokens x {width} values + {request.Model.VocabularySize} logits)"), "one layer at a time, logits of the last token");
        return new()
        {
            Devices = [new("host RAM", [new("load", [weights, process]), new("prefill", [weights, cache, scratch, process]), new("decode", [weights, cache, process])])],
            Confidence = Models.Confidence.Low,
            Notes = [.. PlanNotes.Common(request), "a budget from the formulas of our CPU engine, not yet compared with runs"],
        };
    }
}
