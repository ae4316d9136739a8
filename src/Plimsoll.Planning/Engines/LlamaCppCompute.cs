using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>The compute buffers of llama.cpp: scratch for the widest point of the graph over one micro-batch, FP32.</summary>
/// <remarks>
/// The graph allocator reuses memory, so the buffer is the largest of three moments, not their sum: logits, feed-forward, attention.
/// Single-GPU buffers that ik_llama.cpp logged with flash attention lie within 1.00 to 1.04 of 4 u (V + h); one of mainline llama.cpp is 16 % higher.
/// </remarks>
internal static class LlamaCppCompute
{
    /// <summary>Micro-batches in flight over several GPUs (GGML_SCHED_MAX_COPIES). Two-GPU logs grow by 4 x u x 2 B per cell and the unpacked cache.</summary>
    private const int PipelineCopies = 4;

    private const string Source = "largest live set of the graph; single-GPU logs of ik_llama.cpp with flash attention within 4 %, one of llama.cpp 16 % higher";

    public static PlanLine DeviceBuffer(InferenceRequest request, LlamaCppLayout layout, int gpu)
    {
        var cells = ContextCells(request, layout);
        var microBatch = Math.Min(request.LlamaCpp.MicroBatch, cells);
        var model = request.Model;
        var layers = layout.LayersOn(model, gpu).ToList();
        var feedForward = layers.Count == 0 ? 0 : layers.Max(layer => FeedForward(layer.FeedForward, model.HiddenSize));
        var attention = layers.Count == 0 ? 0 : layers.Max(layer => Attention(layer.Attention, request, cells));
        var logits = 0L;
        if (layout.HasOutput(gpu))
        {
            var rows = request.Engine.Text("logit_rows") == "ubatch" ? microBatch : Math.Min(microBatch, layout.Slots);
            logits = checked(4 * (rows * model.VocabularySize + microBatch * model.HiddenSize));
        }
        var unpacked = layers.Count == 0 ? 0 : checked(layers.Max(layer => UnpackedKv(layer.Attention, request)) * cells);
        // Several GPUs work on several micro-batches at once: the masks of all of them stay allocated.
        var inFlight = layout.IsPipelined(request) && layers.Count > 0 ? checked(PipelineCopies * microBatch * cells * 2) : 0;
        var expected = checked(inFlight + Math.Max(logits, microBatch * Math.Max(feedForward, attention) + unpacked));
        // Newer builds cap the logit rows, older ones do not.
        var allLogits = layout.HasOutput(gpu) ? 4 * microBatch * model.VocabularySize : 0;
        var high = checked(Math.Max(expected, inFlight + unpacked + allLogits) + microBatch * (feedForward + 4L * model.HiddenSize + 2 * cells) + unpacked);
        var low = Math.Min(expected, checked(microBatch * Math.Max(4L * model.HiddenSize, feedForward / 2)));
        return new(PlanCategory.Activations, "compute buffer", new(low, expected, high),
            string.Create(CultureInfo.InvariantCulture, $"micro-batch {microBatch}: max(logits {logits} B, feed-forward {microBatch * feedForward} B, attention {microBatch * attention} B)"), Source);
    }

    /// <summary>Inputs on the host: the embeddings of a micro-batch and one FP32 mask per kind of attention.</summary>
    public static PlanLine HostBuffer(InferenceRequest request, LlamaCppLayout layout)
    {
        var model = request.Model;
        var cells = ContextCells(request, layout);
        var microBatch = Math.Min(request.LlamaCpp.MicroBatch, cells);
        var masks = model.Layers.Select(layer => layer.Attention?.Window is not null).Distinct().Count();
        var inputs = checked(4 * microBatch * (model.HiddenSize + masks * cells));
        var onHost = layout.LayersOn(model, LlamaCppLayout.Host).ToList();
        var computing = onHost.Count == 0 ? 0 : checked(microBatch * onHost.Max(layer => Math.Max(FeedForward(layer.FeedForward, model.HiddenSize), Attention(layer.Attention, request, cells))));
        if (!layout.OutputOnGpu)
            computing = Math.Max(computing, checked(4 * microBatch * ((long)model.VocabularySize + model.HiddenSize)));
        var expected = Math.Max(inputs, computing);
        return new(PlanCategory.Activations, "host compute buffer", new(Math.Min(inputs, expected) / 2, expected, checked(inputs + 2 * computing + 2 * microBatch * model.HiddenSize)),
            string.Create(CultureInfo.InvariantCulture, $"4 B x {microBatch} x (h {model.HiddenSize} + {masks} masks x {cells} cells)"), "logged CUDA_Host buffers of fully offloaded models", MemoryPlace.Host);
    }

    private static long ContextCells(InferenceRequest request, LlamaCppLayout layout) =>
        request.Model.Layers.Max(layer => layer.Attention is { } attention ? layout.Cells(request, attention with { Window = null }) : 0) is > 0 and var cells ? cells : request.Context;

    /// <summary>Bytes per token while a feed-forward part runs: gate and up beside input and residual; for experts, the outputs of every chosen expert twice.</summary>
    private static long FeedForward(FeedForwardShape? part, int hidden)
    {
        if (part is null)
            return 0;
        var dense = 4L * (2L * Math.Max(part.Width, part.Experts?.SharedWidth ?? 0) + 2L * hidden);
        var routed = part.Experts is { } experts ? 4L * (2L * hidden * experts.UsedPerToken + 2L * hidden) : 0;
        return Math.Max(dense, routed);
    }

    /// <summary>Bytes per cell while a quantized cache is unpacked to FP16 for one layer: 5440 B per cell are logged for 4 heads of 256.</summary>
    private static long UnpackedKv(AttentionShape? attention, InferenceRequest request) =>
        attention is { Latent: null } && (request.KvFormat.Key.BlockLength > 1 || request.KvFormat.Value.BlockLength > 1)
            ? 2L * attention.KeyValueHeads * (attention.KeyHeadDim + attention.ValueHeadDim)
            : 0;

    /// <summary>Bytes per token while attention runs: query and output beside input and residual, a row of the mask, and without flash attention a row of scores per head.</summary>
    private static long Attention(AttentionShape? attention, InferenceRequest request, long cells)
    {
        if (attention is null)
            return 0;
        var width = attention.Latent is { } latent
            ? (long)attention.Heads * (2 * latent.KeyValueRank + latent.RopeDim)
            : 2L * attention.Heads * attention.KeyHeadDim;
        var values = 4 * (width + 2L * request.Model.HiddenSize);
        return request.FlashAttention ? values + 2 * cells : checked(values + 4 * cells * (attention.Heads + 1));
    }
}
