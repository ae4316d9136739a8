using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>LitGPT's generate scripts: a cache of exactly the asked length, and bitsandbytes quantization while loading.</summary>
internal sealed class LitGptPlanner : IEnginePlanner
{
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
        var context = request.Engine.Line(PlanCategory.Overhead, "CUDA context", "cuda_context", MemoryPlace.Driver);
        var slack = request.Engine.Line(PlanCategory.Overhead, "resident slack", "resident_slack");
        var layers = stage.LayersOf(request.Model).ToList();
        var cacheBytes = checked(KvCache.BytesPerToken(layers, request.KvFormat, shards: request.Parallel.Tensor) * request.Context * request.Batch);
        var cache = new PlanLine(PlanCategory.KvCache, "KV cache", ByteRange.Exactly(cacheBytes), KvFormula.Describe(layers, request, request.Context, dropsWindow: false), "allocated for max_returned_tokens");
        var tokens = checked(request.PromptTokens * request.Batch);
        var width = ActivationWidth.PerToken(request.Model, request.Parallel.Tensor);
        var logits = stage.IsLast ? checked(tokens * request.Model.VocabularySize * 2) : 0;
        var activations = new PlanLine(PlanCategory.Activations, "activations", ByteRange.Around(2.0 * tokens * width + logits, 0.9, 1.1),
            string.Create(CultureInfo.InvariantCulture, $"2 B x {tokens} prompt tokens x ({width} values of one layer + logits)"), "widest point of a layer, and logits of the whole prompt");
        return new(PlanNotes.DeviceName(stage.Index, stages, request.Parallel.Tensor),
        [
            new("load", [weights, .. QuantizingWhileLoading(request, stage), slack, context]),
            new("prefill", [weights, cache, activations, slack, context]),
            new("decode", [weights, cache, slack, context]),
        ]);
    }

    /// <summary>Each linear layer reaches the GPU in FP32 before it is quantized; the largest one, the output head, decides.</summary>
    private static ImmutableArray<PlanLine> QuantizingWhileLoading(InferenceRequest request, Stage stage)
    {
        if (!stage.IsLast || request.Weights.BitsPerWeight > 12)
            return [];
        var head = request.Model.Tensors.Where(tensor => tensor.Role == TensorRole.OutputHead).MaxBy(tensor => tensor.Elements)
            ?? request.Model.Tensors.First(tensor => tensor.Role == TensorRole.Embedding);
        return
        [
            new(PlanCategory.Weights, "largest linear before quantizing", ByteRange.Exactly(4 * head.Elements),
                string.Create(CultureInfo.InvariantCulture, $"output head, {head.Elements} x 4 B"), "LitGPT rows with bnb.nf4: 0.44 to 2.2 GB over the quantized weights, equal to the FP32 head"),
        ];
    }
}
