using System.Collections.Immutable;
using Plimsoll.Runtime.Cache;
using Plimsoll.Runtime.Layers;
using Plimsoll.Runtime.Settings;

namespace Plimsoll.Runtime;

/// <summary>One sequence of tokens over the weights of a model: its cache of keys and values, and the activations of a batch.</summary>
public sealed class TransformerSession : ICausalModel, IDisposable
{
    private readonly TransformerModel model;
    private readonly IInputObserver? observer;
    private readonly Workspace space;
    private readonly LayerForward forward;
    private readonly ImmutableArray<KeyValueCache> caches;
    private readonly Dictionary<RopeSettings, Rope> ropes;

    /// <summary>The tokens whose keys and values are still in every cache begin here, when a window has dropped some.</summary>
    private int written;

    internal TransformerSession(TransformerModel model, SessionOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Batch);
        var settings = model.Settings;
        if (options.Context > (settings.LearnedPositions ? settings.MaxContext : int.MaxValue))
            throw new ArgumentOutOfRangeException(nameof(options), $"a context of {options.Context} tokens, and the model has learned {settings.MaxContext} positions");
        if (settings.Layers.FirstOrDefault(layer => layer.HeadDim % options.KeyValueFormat.BlockLength != 0) is { } odd)
            throw new ArgumentOutOfRangeException(nameof(options), $"a cache in {options.KeyValueFormat} needs heads of a multiple of {options.KeyValueFormat.BlockLength}, and they have {odd.HeadDim}");
        this.model = model;
        observer = options.Observer;
        Context = options.Context;
        var batch = Math.Min(options.Batch, options.Context);
        space = new(settings, batch);
        forward = new(settings, space, model.Pool);
        caches = [.. settings.Layers.Select(layer => new KeyValueCache(layer, options.KeyValueFormat, options.Context, batch))];
        ropes = settings.Layers.Select(layer => layer.Rope).OfType<RopeSettings>().Distinct().ToDictionary(rope => rope, rope => new Rope(rope, options.Context, batch));
    }

    public int VocabularySize => model.Settings.VocabularySize;

    public int Context { get; }

    public int Position { get; private set; }

    /// <summary>Bytes of the cached keys and values.</summary>
    public long CacheBytes => caches.Sum(cache => cache.Bytes);

    public void Forward(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        if (tokens.Length > Context - Position)
            throw new ArgumentException($"{tokens.Length} tokens behind {Position} do not fit a context of {Context}", nameof(tokens));
        var rows = logits.Length / VocabularySize;
        if (logits.Length % VocabularySize != 0 || rows > tokens.Length)
            throw new ArgumentException($"{logits.Length} logits are not rows of {VocabularySize} for the last of {tokens.Length} tokens", nameof(logits));
        foreach (var token in tokens)
        {
            if ((uint)token >= (uint)VocabularySize)
                throw new ArgumentOutOfRangeException(nameof(tokens), $"token {token} is outside the vocabulary of {VocabularySize}");
        }
        for (var start = 0; start < tokens.Length; start += space.Batch)
        {
            var count = Math.Min(space.Batch, tokens.Length - start);
            var wanted = Math.Clamp(start + count - (tokens.Length - rows), 0, count);
            ForwardBatch(tokens.Slice(start, count), logits.Slice(0, wanted * VocabularySize));
            logits = logits[(wanted * VocabularySize)..];
        }
    }

    public void Rewind(int position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(position, Position);
        if (position > 0 && model.Settings.Layers.Zip(caches).Any(pair => pair.First.Window is { } window && written - pair.Second.Cells > Math.Max(0, position - window + 1)))
            throw new InvalidOperationException($"position {position} cannot be reached again: a sliding window has dropped tokens before it");
        Position = position;
        written = position == 0 ? 0 : written;
    }

    public void Dispose()
    {
        foreach (var cache in caches)
            cache.Dispose();
    }

    private void ForwardBatch(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        var (settings, weights) = (model.Settings, model.Weights);
        Embed(tokens);
        foreach (var rope in ropes.Values)
            rope.Prepare(Position, tokens.Length);
        var wanted = logits.Length / VocabularySize;
        for (var index = 0; index < settings.Layers.Length; index++)
        {
            var layer = settings.Layers[index];
            var isLast = index == settings.Layers.Length - 1 && observer is null;
            forward.Run(layer, weights.Layers[index], caches[index], layer.Rope is null ? null : ropes[layer.Rope], Position, tokens.Length, isLast ? wanted : tokens.Length, observer);
        }
        Position += tokens.Length;
        written = Math.Max(written, Position);
        if (wanted > 0)
            Predict(tokens.Length - wanted, wanted, logits);
    }

    private void Embed(ReadOnlySpan<int> tokens)
    {
        var (settings, weights) = (model.Settings, model.Weights);
        for (var index = 0; index < tokens.Length; index++)
        {
            var row = space.Hidden.AsSpan(index * settings.HiddenSize, settings.HiddenSize);
            weights.Embedding.Matrix.ReadRow(tokens[index], row);
            if (settings.EmbeddingScale != 1)
                Vectors.Scale(row, settings.EmbeddingScale);
            if (weights.Positions is null)
                continue;
            var position = space.Branch.AsSpan(0, settings.HiddenSize);
            weights.Positions.ReadRow(Position + index, position);
            Vectors.Add(row, position);
        }
    }

    private void Predict(int first, int count, Span<float> logits)
    {
        var (settings, weights) = (model.Settings, model.Weights);
        var (from, length) = (first * settings.HiddenSize, count * settings.HiddenSize);
        Norms.ApplyRows(settings.Norm, settings.NormEpsilon, weights.FinalNorm, space.Hidden.AsSpan(from, length), space.Normed);
        weights.Head.Apply(space.Normed, count, logits, model.Pool, observer);
        if (settings.LogitScale != 1)
            Vectors.Scale(logits, settings.LogitScale);
        if (settings.LogitSoftCap is { } cap)
            Vectors.SoftCap(logits, cap);
    }
}
