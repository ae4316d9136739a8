using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>llama.cpp and its fork ik_llama.cpp: buffers allocated once at start, layers dealt out to GPUs and host.</summary>
internal sealed class LlamaCppPlanner : IEnginePlanner
{
    private const string KvSource = "llama.cpp allocates every cell at start; equal to logged sizes to 0.01 MiB";

    public MemoryPlan Plan(InferenceRequest request)
    {
        var layout = LlamaCppLayout.Create(request);
        var devices = Enumerable.Range(0, layout.GpuCount).Select(gpu => PlanDevice(request, layout, gpu)).ToImmutableArray();
        return new()
        {
            Devices = devices,
            Host = new DevicePlan("host RAM", Phases(HostLines(request, layout))),
            Confidence = (Confidence)Math.Min((int)PlanNotes.Confidence(request), (int)(request.FlashAttention && request.Model.Layers.All(layer => layer.Attention?.Latent is null) ? Confidence.High : Confidence.Medium)),
            Notes = [.. PlanNotes.Common(request), .. Notes(request, layout)],
            Impossible = request.Parallel.Tensor > 1 || request.Parallel.Expert > 1 ? "llama.cpp divides a model by layers; tensor and expert parallelism are not planned for it (use pp=N)" : KvFormatProblem(request),
        };
    }

    private static DevicePlan PlanDevice(InferenceRequest request, LlamaCppLayout layout, int gpu)
    {
        var lines = ImmutableArray.CreateBuilder<PlanLine>();
        lines.Add(WeightLine(request, layout.WeightBytes(request, gpu), MemoryPlace.Device));
        AddCacheLines(lines, request, layout, gpu, MemoryPlace.Device);
        lines.Add(LlamaCppCompute.DeviceBuffer(request, layout, gpu));
        lines.Add(request.Engine.Line(PlanCategory.Overhead, "CUDA context", "cuda_context", MemoryPlace.Driver));
        return new(PlanNotes.DeviceName(gpu, layout.GpuCount, 1), Phases(lines.ToImmutable()));
    }

    private static ImmutableArray<PlanLine> HostLines(InferenceRequest request, LlamaCppLayout layout)
    {
        var lines = ImmutableArray.CreateBuilder<PlanLine>();
        lines.Add(WeightLine(request, layout.WeightBytes(request, LlamaCppLayout.Host), MemoryPlace.Host));
        AddCacheLines(lines, request, layout, LlamaCppLayout.Host, MemoryPlace.Host);
        lines.Add(LlamaCppCompute.HostBuffer(request, layout));
        var outputs = 4L * request.Model.VocabularySize * layout.Slots;
        lines.Add(new(PlanCategory.Activations, "output buffer", ByteRange.Exactly(outputs), string.Create(CultureInfo.InvariantCulture, $"{layout.Slots} rows x {request.Model.VocabularySize} x 4 B"), "one FP32 logit row per slot", MemoryPlace.Host));
        return lines.ToImmutable();
    }

    private static PlanLine WeightLine(InferenceRequest request, long bytes, MemoryPlace place) => new(
        PlanCategory.Weights,
        "weights",
        ByteRange.Exactly(bytes),
        place == MemoryPlace.Host
            ? $"token embedding and everything not offloaded ({request.Weights.Precision})"
            : string.Create(CultureInfo.InvariantCulture, $"offloaded layers at {request.Weights.BitsPerWeight:0.####} bits per weight ({request.Weights.Precision})"),
        PlanNotes.WeightSource(request),
        place);

    private static void AddCacheLines(ImmutableArray<PlanLine>.Builder lines, InferenceRequest request, LlamaCppLayout layout, int device, MemoryPlace place)
    {
        var layers = layout.LayersOn(request.Model, device).ToList();
        var groups = layers.Where(layer => layer.Attention is { SharesKeyValues: false }).GroupBy(layer => layer.Attention!).ToList();
        var bytes = groups.Sum(group => checked(group.Count() * layout.CacheBytes(request, group.Key)));
        if (layers.Count > 0)
        {
            // Streams are already inside the cell count.
            var formula = KvFormula.Join(groups.Select(group => KvFormula.Term(group.Count(), group.Key, layout.Cells(request, group.Key), request, layout.Latent)), request with { Batch = 1 });
            lines.Add(new(PlanCategory.KvCache, "KV cache", ByteRange.Exactly(bytes), formula, KvSource, place));
        }

        AddNextTokenCache(lines, request, layout, device, place);
        var state = KvCache.StateBytes(layers) * layout.Slots * (1 + request.LlamaCpp.DraftDepth);
        if (state > 0)
        {
            lines.Add(new(PlanCategory.KvCache, "recurrent state", ByteRange.Exactly(state),
                string.Create(CultureInfo.InvariantCulture, $"{layers.Count(layer => layer.Recurrent is not null)} layers, FP32, x {layout.Slots} slots x {1 + request.LlamaCpp.DraftDepth}"), "logged state sizes of Qwen3.5/3.6 hybrids are equal to the byte", place));
        }
    }

    /// <summary>The model's own draft layers (MTP) run in a context of their own, with an FP16 cache of the whole length beside the output layer.</summary>
    private static void AddNextTokenCache(ImmutableArray<PlanLine>.Builder lines, InferenceRequest request, LlamaCppLayout layout, int device, MemoryPlace place)
    {
        var drafts = request.LlamaCpp.DraftDepth > 0 && request.Model.Tensors.Any(tensor => tensor.Role == TensorRole.NextToken);
        if (!drafts || !layout.HasOutput(device) || request.Model.Layers.LastOrDefault(layer => layer.Attention is not null)?.Attention is not { } attention)
            return;
        var cells = layout.Cells(request, attention);
        var perCell = KvCache.BytesPerToken(attention, KvFormat.Fp16, layout.Latent);
        lines.Add(new(PlanCategory.KvCache, "next-token cache", ByteRange.Exactly(checked(cells * perCell)), string.Create(CultureInfo.InvariantCulture, $"1 layer x {cells} cells x {perCell} B (FP16)"), "logged Qwen3.8-27B with its MTP layer: 352 MiB at 90,112 tokens", place));
    }

    private static ImmutableArray<PlanPhase> Phases(ImmutableArray<PlanLine> lines) =>
    [
        new("load", [.. lines.Where(line => line.Category == PlanCategory.Weights || line.Place == MemoryPlace.Driver)]),
        new("prefill", lines),
        new("decode", lines),
    ];

    private static string? KvFormatProblem(InferenceRequest request)
    {
        if (!request.FlashAttention && request.KvFormat.Value.BlockLength > 1)
            return $"a {request.KvFormat.Value} value cache needs flash attention in llama.cpp";
        var block = Math.Max(request.KvFormat.Key.BlockLength, request.KvFormat.Value.BlockLength);
        var head = request.Model.Layers.FirstOrDefault(layer => layer.Attention is { Latent: null } attention && (attention.KeyHeadDim % block != 0 || attention.ValueHeadDim % block != 0));
        return head is null ? null : string.Create(CultureInfo.InvariantCulture, $"a head of {head.Attention!.KeyHeadDim} elements is not divisible by the {block}-element blocks of a {request.KvFormat} cache");
    }

    private static IEnumerable<string> Notes(InferenceRequest request, LlamaCppLayout layout)
    {
        if (!layout.OutputOnGpu)
            yield return string.Create(CultureInfo.InvariantCulture, $"{layout.OffloadedLayers} of {request.Model.Layers.Length} layers are on the GPU; the rest computes on the CPU");
        if (request.LlamaCpp.CpuExpertLayers > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"the experts of the first {request.LlamaCpp.CpuExpertLayers} layers stay in RAM");
    }
}
