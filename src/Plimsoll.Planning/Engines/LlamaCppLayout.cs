using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Engines;

/// <summary>Which device llama.cpp gives each layer to, and how many cells each cache gets.</summary>
internal sealed class LlamaCppLayout
{
    /// <summary>The device number of the host.</summary>
    public const int Host = -1;

    /// <summary>Stays in the file.</summary>
    private const int Unloaded = -2;

    /// <summary>Caches are rounded up to this many cells.</summary>
    private const int CellPadding = 256;

    private readonly ImmutableArray<int> deviceOfLayer;
    private readonly int outputDevice;

    private LlamaCppLayout(ImmutableArray<int> deviceOfLayer, int outputDevice, int gpuCount, int slots, LatentCacheLayout latent)
    {
        this.deviceOfLayer = deviceOfLayer;
        this.outputDevice = outputDevice;
        GpuCount = gpuCount;
        Slots = slots;
        Latent = latent;
    }

    public int GpuCount { get; }

    public int Slots { get; }

    public LatentCacheLayout Latent { get; }

    public bool OutputOnGpu => outputDevice != Host;

    public int OffloadedLayers => deviceOfLayer.Count(device => device != Host);

    /// <summary>Several GPUs run as a pipeline only when nothing computes on the host.</summary>
    public bool IsPipelined(InferenceRequest request) => GpuCount > 1 && OutputOnGpu && request.LlamaCpp.CpuExpertLayers == 0 && request.Engine.Says("pipeline", "yes");

    public static LlamaCppLayout Create(InferenceRequest request)
    {
        var layers = request.Model.Layers.Length;
        var gpus = request.Parallel.Pipeline;
        var options = request.LlamaCpp;
        // llama.cpp offloads the last layers first; the output counts as one more layer behind them.
        var offloaded = Math.Clamp(options.GpuLayers ?? layers + 1, 0, layers + 1);
        var first = Math.Max(0, layers - offloaded);
        var shares = Shares(options.TensorSplit, gpus);
        int Device(int index) => index < first ? Host : Array.FindIndex(shares, share => (double)(index - first) / offloaded < share) is var gpu and >= 0 ? gpu : gpus - 1;
        var output = offloaded > layers ? Device(layers) : Host;
        var latent = options.LatentLayout ?? (request.Model.Layers.Any(layer => layer.Attention?.Latent is { FileCachesEveryHead: true }) ? LatentCacheLayout.Expanded : default(LatentCacheLayout?)) ?? (request.Engine.Text("latent_cache") == "compressed" ? LatentCacheLayout.Compressed : LatentCacheLayout.CompressedWithValues);
        return new([.. Enumerable.Range(0, layers).Select(Device)], output, gpus, Math.Max(options.Slots, request.Batch), latent);
    }

    public IEnumerable<LayerShape> LayersOn(ModelShape model, int device) => model.Layers.Where((_, index) => deviceOfLayer[index] == device);

    public bool HasOutput(int device) => outputDevice == device;

    /// <summary>Bytes of the weights on one device.</summary>
    /// <remarks>The token embedding always stays on the host; a tied output head is a second copy on the GPU that computes the output.</remarks>
    public long WeightBytes(InferenceRequest request, int device)
    {
        var total = 0L;
        foreach (var tensor in request.Weights.Tensors)
        {
            if (DeviceOf(tensor, request) == device)
                total = checked(total + tensor.Bytes);
            if (tensor.Shape.Role == TensorRole.Embedding && request.Model.TiedEmbeddings && OutputOnGpu && outputDevice == device)
                total = checked(total + tensor.Bytes);
        }
        return total;
    }

    /// <summary>Cells of the cache of one layer, over all streams.</summary>
    public long Cells(InferenceRequest request, AttentionShape attention)
    {
        var options = request.LlamaCpp;
        var streams = options.UnifiedKv ? 1 : request.Batch;
        var context = PadCells(options.UnifiedKv ? checked(request.Context * request.Batch) : request.Context);
        if (attention.Window is not { } window || options.FullWindowCache || KeepsWholeContext(request))
            return checked(context * streams);
        var sequences = options.UnifiedKv ? request.Batch : 1;
        return checked(Math.Min(context, PadCells((long)window * sequences + options.MicroBatch)) * streams);
    }

    public long CacheBytes(InferenceRequest request, AttentionShape attention) =>
        checked(KvCache.BytesPerToken(attention, request.KvFormat, Latent) * Cells(request, attention));

    private static bool KeepsWholeContext(InferenceRequest request) =>
        request.Engine.Says("window_cache", "full") || request.Engine.Lists("window_ignored", request.Model.Architecture);

    private int DeviceOf(WeightTensor tensor, InferenceRequest request) => tensor.Shape switch
    {
        { Role: TensorRole.Embedding or TensorRole.PositionEmbedding } => Host,
        { Role: TensorRole.Tower } => OffloadedLayers > 0 ? 0 : Host,
        { Role: TensorRole.NextToken } when request.LlamaCpp.DraftDepth == 0 => Unloaded,
        { Layer: { } layer, Role: TensorRole.Expert } when layer < request.LlamaCpp.CpuExpertLayers => Host,
        { Layer: { } layer } when layer < deviceOfLayer.Length => deviceOfLayer[layer],
        _ => outputDevice,
    };

    /// <summary>Cumulative fractions of the offloaded layers per GPU.</summary>
    private static double[] Shares(IReadOnlyList<double> split, int gpus)
    {
        var parts = split.Count == 0 ? Enumerable.Repeat(1.0, gpus).ToArray() : [.. split.Take(gpus)];
        var total = parts.Sum();
        var sum = 0.0;
        return [.. parts.Select(part => (sum += part) / total)];
    }

    private static long PadCells(long tokens) => checked((tokens + CellPadding - 1) / CellPadding * CellPadding);
}
