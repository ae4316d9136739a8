using System.Collections.Immutable;
using Plimsoll.Models;
using Plimsoll.Numerics.Linear;
using Plimsoll.Planning.Weights.Gguf;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Runtime;

namespace Plimsoll.Quantization.Calibration.Sequential;

/// <summary>Walks a calibration text through the layers while they are quantized: what a layer is given comes from the layers before it as they are written, and within a layer from the tensors before it.</summary>
/// <remarks>
/// GPTQ's true-sequential order: queries, keys and values; the attention's output; up and gate; down. For each of these the text goes through the layer once more, and only the products of their inputs are in memory. Hidden states
/// lie in a file where they are many. Rounded weights are multiplied in FP16.
/// </remarks>
public sealed class SequentialCalibration : IDisposable
{
    private const long LeastReleased = 16L << 20;

    private readonly CalibrationText text;
    private readonly ComputePool pool;
    private readonly int threads;
    private readonly LocatedModel model;
    private readonly string folder;
    private readonly CancellationToken cancellation;
    private readonly List<GgufSource> sources = [];
    private readonly List<string> notes = [];
    private readonly Dictionary<InputStatistics, FeedbackFactor?> factors = [];
    private LayerWalk? walk;
    private HiddenStates? hidden;
    private float[] chunk = [];
    private (int Layer, int Stage) collected = (-1, -1);
    private InputCollector collector;

    /// <param name="folder">Where hidden states are kept that are too many for memory.</param>
    public SequentialCalibration(LocatedModel model, CalibrationText text, int threads, string folder, CancellationToken cancellation)
    {
        (this.model, this.text, this.threads, this.folder, this.cancellation) = (model, text, threads, folder, cancellation);
        pool = threads == 1 ? ComputePool.Single : new ComputePool(threads);
        collector = new(keepsGrams: true, threads);
    }

    public CalibrationText Text => text;

    /// <summary>What the user should know, as sentences; complete when the last layer is done.</summary>
    public IReadOnlyList<string> Notes => notes;

    /// <summary>Whether a tensor is rounded with what the text shows: everything that is multiplied in a layer, and an output head of its own.</summary>
    internal static bool Takes(GgufTensor tensor) => tensor.AllowsQuantization && (tensor.Category == GgufCategory.Output || (tensor.Layer >= 0 && tensor.Category is not (GgufCategory.Other or GgufCategory.TokenEmbedding)));

    /// <summary>Registers a tensor that is going to be rounded.</summary>
    internal void Add(GgufSource source) => sources.Add(source);

    /// <summary>The place of a tensor in the order of the walk.</summary>
    internal int OrderOf(GgufTensor tensor) => LayerOf(tensor) * 4 + StageOf(tensor) + 1;

    /// <summary>Multiplications per weight, of the walk and of the rounding with feedback.</summary>
    internal long ProductsPerWeight(GgufTensor tensor)
    {
        var tokens = (long)text.Tokens.Length;
        return 3 * tokens / 4 + tokens * tensor.RowLength / (2 * tensor.Rows) + 3 * tensor.RowLength / 2;
    }

    /// <summary>The most memory that the walk takes.</summary>
    public long PeakBytes
    {
        get
        {
            var settings = Walk.Settings;
            var stages = sources.GroupBy(source => (LayerOf(source.Tensor), StageOf(source.Tensor))).Select(stage => stage.GroupBy(source => source.Tensor.RowLength).Sum(GramBytes));
            var layers = sources.Where(source => source.Tensor.Layer >= 0).GroupBy(source => source.Tensor.Layer)
                .Select(layer => layer.Sum(source => source.Sources.Sum(weight => weight.Storage.Parts.Sum(part => part.Header.Bytes))));
            var matrices = sources.Where(source => source.Tensor.Layer >= 0).Select(source => 2 * (long)sizeof(ushort) * source.Rows.Elements);
            var batch = 2L * Math.Min(text.Context, SessionOptions.DefaultBatch) * sources.Select(source => source.Tensor.RowLength).DefaultIfEmpty().Max() * sizeof(float);
            return HiddenStates.MemoryBytes(text.Chunks, text.Context * settings.HiddenSize) + LayerWalk.WorkspaceBytes(settings, text.Context) + batch
                + layers.DefaultIfEmpty().Max() + Math.Max(stages.DefaultIfEmpty().Max(), matrices.DefaultIfEmpty().Max());
        }
    }

    /// <summary>Bytes of hidden states on the disk while it goes on.</summary>
    public long DiskBytes => HiddenStates.BytesFor(text.Chunks, text.Context * Walk.Settings.HiddenSize) - HiddenStates.MemoryBytes(text.Chunks, text.Context * Walk.Settings.HiddenSize);

    /// <summary>What the matrices of a tensor are given. Tensors are asked for in the order of <see cref="OrderOf"/>.</summary>
    /// <exception cref="OperationCanceledException">The run is to end.</exception>
    internal SequentialInputs InputsOf(GgufSource source)
    {
        AdvanceTo(LayerOf(source.Tensor));
        Collect(LayerOf(source.Tensor), StageOf(source.Tensor));
        var columns = (int)source.Tensor.RowLength;
        ImmutableArray<InputStatistics?> seen = [.. CalibratedTensors.InputsOf(source, collector)];
        var importance = new float[seen.Length * columns];
        for (var matrix = 0; matrix < seen.Length; matrix++)
        {
            for (var column = 0; column < columns; column++)
                importance[matrix * columns + column] = seen[matrix] is { Count: > 0 } inputs ? (float)(inputs.Squares[column] / inputs.Count) : 1;
        }
        ImmutableArray<FeedbackFactor?> own = [.. seen.Select(FactorOf)];
        if (own.Count(factor => factor is null) is > 0 and var missing)
            notes.Add(own.Length == 1 ? $"{source.Tensor.Name} is rounded to nearest: {Why}." : $"{missing} of {own.Length} matrices of {source.Tensor.Name} are rounded to nearest, number {string.Join(", ", Enumerable.Range(0, own.Length).Where(matrix => own[matrix] is null))}: {Why}.");
        return new(importance, own);
    }

    /// <summary>Goes on with a tensor as it is written.</summary>
    /// <param name="decode">Reads rows as they are decoded: (first row, values).</param>
    internal void Follow(GgufSource source, Action<long, float[]> decode)
    {
        AdvanceTo(LayerOf(source.Tensor));
        if (source.Tensor.Layer < 0 || source.Rows.Rows == 0 || source.Rows.OriginOf(0) is null)
            return;
        var columns = (int)source.Rows.RowLength;
        var rounded = source.Sources.ToDictionary(weight => weight, weight => new Half[checked(weight.Rows * weight.RowLength)]);
        var row = new float[columns];
        for (var index = 0L; index < source.Rows.Rows; index++)
        {
            if (source.Rows.OriginOf(index) is not { } origin)
                return;
            decode(index, row);
            var values = rounded[origin.Weight].AsSpan((int)(origin.Row * columns), columns);
            for (var column = 0; column < columns; column++)
                values[column] = (Half)row[column];
        }
        foreach (var (weight, rows) in rounded)
            Walk.Exchange(weight.Name, rows);
        var bytes = rounded.Values.Sum(rows => (long)rows.Length * sizeof(ushort));
        rounded.Clear();
        Release(bytes);
    }

    public void Dispose()
    {
        walk?.Dispose();
        hidden?.Dispose();
        if (pool != ComputePool.Single)
            pool.Dispose();
    }

    private const string Why = "the text did not reach it, or what it is given cannot be inverted";

    private LayerWalk Walk => walk ??= new(model, text.Context, pool);

    private static long GramBytes(IGrouping<long, GgufSource> inputs)
    {
        var matrices = inputs.Max(source => source.Tensor.Category == GgufCategory.Output ? 1 : source.Tensor.Matrices);
        return checked(matrices * (inputs.Key * inputs.Key * sizeof(double) + FeedbackFactor.BytesFor(inputs.Key)));
    }

    private int LayerOf(GgufTensor tensor) => tensor.Layer >= 0 ? tensor.Layer : Walk.Settings.Layers.Length;

    private static int StageOf(GgufTensor tensor) => tensor.Category switch
    {
        GgufCategory.AttentionOutput => 1,
        GgufCategory.FeedForwardUp or GgufCategory.FeedForwardGate => 2,
        GgufCategory.FeedForwardDown => 3,
        _ => 0,
    };

    private FeedbackFactor? FactorOf(InputStatistics? inputs)
    {
        if (inputs is null)
            return null;
        cancellation.ThrowIfCancellationRequested();
        if (!factors.TryGetValue(inputs, out var factor))
        {
            factors[inputs] = factor = FeedbackFactor.Consume(inputs.TakeGram(), inputs.Columns, threads);
            Release((long)inputs.Columns * inputs.Columns * sizeof(double));
        }
        return factor;
    }

    /// <summary>Takes the text through the layers before, as they are now.</summary>
    private void AdvanceTo(int layer)
    {
        Start();
        for (; Walk.Layer < layer; Walk.Advance())
        {
            Forget();
            ForEachChunk((index, states) =>
            {
                Walk.Run(states, null);
                hidden!.Write(index, states);
            });
        }
    }

    private void Collect(int layer, int stage)
    {
        if (collected == (layer, stage))
            return;
        Forget();
        collected = (layer, stage);
        var observer = new StageObserver(collector, [.. sources.Where(source => LayerOf(source.Tensor) == layer && StageOf(source.Tensor) == stage).SelectMany(source => source.Sources).Select(weight => weight.Name)]);
        ForEachChunk((_, states) => Walk.Run(states, observer));
    }

    private void Forget()
    {
        var bytes = factors.Values.Sum(factor => factor is null ? 0 : FeedbackFactor.BytesFor(factor.Columns));
        factors.Clear();
        collector = new(keepsGrams: true, threads);
        collected = (-1, -1);
        Release(bytes);
    }

    /// <summary>Gives back large arrays at once: the runtime would keep them as long as the machine has memory left, and the plan would not hold.</summary>
    private static void Release(long bytes)
    {
        if (bytes >= LeastReleased)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private void ForEachChunk(Action<int, float[]> work)
    {
        for (var index = 0; index < text.Chunks; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            hidden!.Read(index, chunk);
            work(index, chunk);
        }
    }

    private void Start()
    {
        if (hidden is not null)
            return;
        chunk = new float[text.Context * Walk.Settings.HiddenSize];
        hidden = new(text.Chunks, chunk.Length, folder);
        var tokens = new int[text.Context];
        for (var index = 0; index < text.Chunks; index++)
        {
            text.ReadChunk(index, tokens);
            Walk.Embed(tokens, chunk);
            hidden.Write(index, chunk);
        }
    }
}
