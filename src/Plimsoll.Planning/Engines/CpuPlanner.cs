using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>Our own CPU engine: weights at their packed size, a cache that is claimed whole, the activations of one batch in FP32, and the process.</summary>
/// <remarks>The formulas are those of <c>Plimsoll.Runtime</c>: <c>KeyValueCache.CellsOf</c> and <c>Workspace</c>. Tests compare both, and plans with runs.</remarks>
internal sealed class CpuPlanner : IEnginePlanner
{
    public MemoryPlan Plan(InferenceRequest request)
    {
        var batch = (int)Math.Min(Math.Min(request.LlamaCpp.MicroBatch, request.PromptTokens), request.Context);
        var weights = new PlanLine(PlanCategory.Weights, "weights", ByteRange.Exactly(request.Weights.Total.Bytes), string.Create(CultureInfo.InvariantCulture, $"{request.Model.Parameters} parameters x {request.Weights.BitsPerWeight:0.####} bits ({request.Weights.Precision})"), PlanNotes.WeightSource(request));
        var process = request.Engine.Line(PlanCategory.Overhead, "process", "process");
        var vocabulary = Vocabulary(request);
        var cache = Cache(request, batch);
        var width = ValuesPerToken(request.Model);
        var activations = new PlanLine(PlanCategory.Activations, "activations", ByteRange.Around(4.0 * (batch * width + request.Model.VocabularySize), 0.9, 1.3),
            string.Create(CultureInfo.InvariantCulture, $"4 B x ({batch} tokens x {width} values + {request.Model.VocabularySize} logits)"), "allocated once for the widest layer and the longest batch");
        // Everything is claimed before the first token and kept: prefill and decode differ in speed, not in memory.
        PlanPhase Running(string name) => new(name, [weights, cache, activations, vocabulary, process]);
        return new()
        {
            Devices = [new("host RAM", [new("load", [weights, vocabulary, process]), Running("prefill"), Running("decode")])],
            Confidence = PlanNotes.Confidence(request),
            Notes = [.. PlanNotes.Common(request)],
        };
    }

    /// <summary>Cells of a layer: the context, or what a batch can see through a window.</summary>
    internal static long Cells(AttentionShape attention, long context, int batch) => attention.Window is { } window ? Math.Min(context, window + batch - 1L) : context;

    /// <summary>Hidden state, its norm and what is added to it; queries, keys, values and attended values; the feed-forward part; what is gathered for an expert.</summary>
    internal static long ValuesPerToken(ModelShape model)
    {
        var attention = model.Layers.Max(layer => layer.Attention is { } part ? 2L * part.Heads * part.KeyHeadDim + part.KeyValueHeads * ((long)part.KeyHeadDim + part.ValueHeadDim) : 0);
        var feedForward = model.Layers.Max(layer => layer.FeedForward is { } part ? (part.Gated ? 2L : 1L) * (part.Experts?.Width ?? part.Width) : 0);
        var experts = model.Layers.Max(layer => layer.FeedForward?.Experts is { } part ? 2L * model.HiddenSize + part.Count : 0);
        return 3L * model.HiddenSize + attention + feedForward + experts;
    }

    private static PlanLine Cache(InferenceRequest request, int batch)
    {
        var groups = request.Model.Layers.Where(layer => layer.Attention is { SharesKeyValues: false })
            .GroupBy(layer => layer.Attention!)
            .Select(group => (Layers: group.Count(), Attention: group.Key, Cells: Cells(group.Key, request.Context, batch)))
            .ToList();
        var bytes = groups.Sum(group => checked(group.Layers * group.Cells * KvCache.BytesPerToken(group.Attention, request.KvFormat, LatentCacheLayout.Compressed)));
        bytes = checked((bytes + KvCache.StateBytes(request.Model.Layers)) * request.Batch);
        var formula = KvFormula.Join(groups.Select(group => KvFormula.Term(group.Layers, group.Attention, group.Cells, request, LatentCacheLayout.Compressed)), request);
        return new(PlanCategory.KvCache, "KV cache", ByteRange.Exactly(bytes), formula, "a window layer keeps its window and a batch, in a ring");
    }

    /// <summary>The texts of the vocabulary and its merges, as the tokenizer holds them.</summary>
    private static PlanLine Vocabulary(InferenceRequest request)
    {
        var perToken = request.Engine.Number("vocabulary_entry_bytes");
        return new(PlanCategory.Overhead, "tokenizer", ByteRange.Around(perToken * request.Model.VocabularySize, 0.5, 2),
            string.Create(CultureInfo.InvariantCulture, $"{request.Model.VocabularySize} tokens x {perToken} B"), request.Engine.Source("vocabulary_entry_bytes"));
    }
}
