using System.Runtime.InteropServices;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Linear;
using Plimsoll.Runtime.Cache;
using Plimsoll.Runtime.Layers;
using Plimsoll.Runtime.Settings;
using Plimsoll.Runtime.Weights;

namespace Plimsoll.Runtime;

/// <summary>Runs a decoder one layer at a time over sequences whose hidden states are kept elsewhere. Only the weights of one layer are in memory.</summary>
/// <remarks>The numbers are those of a <see cref="TransformerSession"/> with a cache in FP16.</remarks>
public sealed class LayerWalk : IDisposable
{
    private readonly DecoderCheckpoint checkpoint;
    private readonly WeightLoader loader;
    private readonly ComputePool pool;
    private readonly int context;
    private readonly Workspace space;
    private readonly LayerForward forward;
    private readonly StoredWeight embedding;
    private readonly StoredWeight? positions;
    private LayerWeights? weights;
    private KeyValueCache? cache;
    private Rope? rope;

    /// <param name="context">Tokens of the longest sequence.</param>
    /// <exception cref="UnknownArchitectureException">The architecture cannot be run.</exception>
    /// <exception cref="CheckpointFormatException">A file is broken, a tensor is missing or has another shape than the configuration says.</exception>
    public LayerWalk(LocatedModel model, int context, ComputePool pool)
    {
        (this.context, this.pool) = (context, pool);
        checkpoint = DecoderCheckpoint.Open(model);
        loader = new(checkpoint);
        var settings = checkpoint.Settings;
        embedding = checkpoint.Require(new WeightName(null, "token_embd"), settings.VocabularySize, settings.HiddenSize);
        positions = settings.LearnedPositions ? checkpoint.Require(new WeightName(null, "position_embd"), settings.MaxContext ?? 0, settings.HiddenSize) : null;
        space = new(settings, Math.Min(context, SessionOptions.DefaultBatch));
        forward = new(settings, space, pool);
    }

    public TransformerSettings Settings => checkpoint.Settings;

    /// <summary>The layer whose weights are in memory; as many as there are layers when only the output head is left.</summary>
    public int Layer { get; private set; }

    /// <summary>Bytes of activations.</summary>
    public static long WorkspaceBytes(TransformerSettings settings, int context) =>
        Math.Min(context, SessionOptions.DefaultBatch) * Workspace.ValuesPerToken(settings) * sizeof(float);

    /// <param name="hidden">Receives (tokens, hidden): what the first layer is given.</param>
    public void Embed(ReadOnlySpan<int> tokens, Span<float> hidden)
    {
        var position = new float[Settings.HiddenSize];
        for (var index = 0; index < tokens.Length; index++)
        {
            var row = hidden.Slice(index * Settings.HiddenSize, Settings.HiddenSize);
            embedding.ReadRows(tokens[index], row);
            if (Settings.EmbeddingScale != 1)
                Vectors.Scale(row, Settings.EmbeddingScale);
            if (positions is null)
                continue;
            positions.ReadRows(index, position);
            Vectors.Add(row, position);
        }
    }

    /// <summary>Takes a whole sequence through the layer, or through the norm before the output head.</summary>
    /// <param name="hidden">(tokens, hidden): what the layer is given, and then what it gives; of no use where the observer was satisfied before the end.</param>
    public void Run(Span<float> hidden, IInputObserver? observer)
    {
        Load();
        var (width, count) = (Settings.HiddenSize, hidden.Length / Settings.HiddenSize);
        for (var start = 0; start < count; start += space.Batch)
        {
            var batch = Math.Min(space.Batch, count - start);
            var rows = hidden.Slice(start * width, batch * width);
            if (Layer == Settings.Layers.Length)
            {
                Norms.ApplyRows(Settings.Norm, Settings.NormEpsilon, loader.LoadFinalNorm(), rows, space.Normed);
                observer?.Observe(loader.HeadName, 0, space.Normed.AsSpan(0, rows.Length), width);
                continue;
            }
            rows.CopyTo(space.Hidden);
            rope?.Prepare(start, batch);
            forward.Run(Settings.Layers[Layer], weights!, cache!, rope, start, batch, batch, observer);
            space.Hidden.AsSpan(0, rows.Length).CopyTo(rows);
        }
    }

    /// <summary>Multiplies from now on with other weights in place of those of a stored tensor of this layer.</summary>
    /// <param name="tensor">The weight as the checkpoint names it.</param>
    /// <param name="rows">(rows, columns) of the stored tensor, experts one after the other.</param>
    public void Exchange(string tensor, Half[] rows)
    {
        Load();
        foreach (var linear in weights?.Linears.Where(linear => linear.Name == tensor) ?? [])
        {
            var own = linear.Matrix;
            var columns = own.Columns;
            linear.Matrix = PackedMatrices.Create(NumberFormats.Fp16, own.Rows, columns, (firstRow, bytes) =>
            {
                var values = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var at = 0; at < values.Length; at += columns)
                {
                    var row = firstRow + at / columns;
                    rows.AsSpan(checked((linear.Expert * own.Rows + (linear.Order?[row] ?? row)) * columns), columns).CopyTo(values[at..]);
                }
            });
            own.Dispose();
        }
    }

    /// <summary>Lets go of the layer's weights; those of the next are loaded when it is run.</summary>
    public void Advance()
    {
        Unload();
        Layer++;
    }

    public void Dispose()
    {
        Unload();
        checkpoint.Dispose();
    }

    private void Load()
    {
        if (weights is not null || Layer == Settings.Layers.Length)
            return;
        var layer = Settings.Layers[Layer];
        weights = loader.LoadLayer(layer, Layer);
        cache = new(layer, NumberFormats.Fp16, context, space.Batch);
        rope = layer.Rope is { } settings ? new(settings, context, space.Batch) : null;
    }

    private void Unload()
    {
        foreach (var linear in weights?.Linears ?? [])
            linear.Matrix.Dispose();
        cache?.Dispose();
        (weights, cache) = (null, null);
    }
}
