using Plimsoll.Numerics.Linear;
using Plimsoll.Runtime.Cache;
using Plimsoll.Runtime.Settings;
using Plimsoll.Runtime.Weights;

namespace Plimsoll.Runtime.Layers;

/// <summary>One layer over a batch of tokens.</summary>
internal sealed class LayerForward
{
    /// <summary>Tokens of element-wise work that a thread takes at once.</summary>
    private const int Grain = 16;

    private readonly TransformerSettings settings;
    private readonly Workspace space;
    private readonly ComputePool pool;
    private readonly Attention attention;
    private readonly FeedForward feedForward;
    private readonly Action<int, int> normAttention;
    private readonly Action<int, int> prepareHeads;
    private readonly Action<int, int> addAttention;
    private readonly Action<int, int> normFeedForward;
    private readonly Action<int, int> addFeedForward;

    private LayerSettings layer = null!;
    private LayerWeights weights = null!;
    private KeyValueCache cache = null!;
    private Rope? rope;
    private int position;
    private int first;
    private RowView queries;
    private RowView keys;
    private RowView values;

    public LayerForward(TransformerSettings settings, Workspace space, ComputePool pool)
    {
        (this.settings, this.space, this.pool) = (settings, space, pool);
        attention = new(pool, settings.ScoreSoftCap);
        feedForward = new(settings, space, pool);
        // Made once: a delegate made at each call would be garbage for every layer of every token.
        (normAttention, prepareHeads, addAttention, normFeedForward, addFeedForward) = (NormAttention, PrepareHeads, AddAttention, NormFeedForward, AddFeedForward);
    }

    /// <param name="count">Tokens in <see cref="Workspace.Hidden"/>.</param>
    /// <param name="wanted">How many of the last ones are needed behind this layer; the others only leave their keys and values.</param>
    public void Run(LayerSettings layer, LayerWeights weights, KeyValueCache cache, Rope? rope, int position, int count, int wanted, IInputObserver? observer)
    {
        (this.layer, this.weights, this.cache, this.rope, this.position) = (layer, weights, cache, rope, position);
        first = count - wanted;
        Rows(0, count, weights.AttentionNorm is null ? null : normAttention);
        Project(weights.AttentionNorm is null ? space.Hidden : space.Normed, count, observer);
        Rows(0, count, prepareHeads);
        if (wanted == 0 || observer is { IsSatisfied: true })
            return;
        var attended = new RowView(space.Attended, 0, layer.QueryWidth);
        attention.Run(layer, cache, queries, first, count, position, attended);
        weights.Output.Apply(space.Attended.AsSpan(first * layer.QueryWidth), wanted, Hidden(space.Branch), pool, observer);

        if (observer is { IsSatisfied: true })
            return;
        if (settings.Residual == Residual.Parallel)
            Rows(first, count, normFeedForward);
        Rows(first, count, addAttention);
        if (settings.Residual == Residual.Sequential && weights.FeedForwardNorm is not null)
            Rows(first, count, normFeedForward);
        var input = weights.FeedForwardNorm is null && settings.Residual == Residual.Sequential ? space.Hidden : space.Normed;
        feedForward.Run(layer, weights, Hidden(input)[..(wanted * settings.HiddenSize)], wanted, Hidden(space.Branch), observer);
        Rows(first, count, addFeedForward);
    }

    /// <summary>The rows of a buffer as wide as the hidden state, from the first wanted token on.</summary>
    private Span<float> Hidden(float[] buffer) => buffer.AsSpan(first * settings.HiddenSize);

    private Span<float> HiddenRow(float[] buffer, int token) => buffer.AsSpan(token * settings.HiddenSize, settings.HiddenSize);

    private void Rows(int from, int to, Action<int, int>? work)
    {
        if (work is null)
            return;
        if (to - from <= Grain)
        {
            work(from, to);
            return;
        }
        var offset = from;
        if (offset == 0)
            pool.For(to, Grain, work);
        else
            pool.For(to - offset, Grain, (start, end) => work(offset + start, offset + end));
    }

    private void Project(float[] input, int count, IInputObserver? observer)
    {
        var (query, keyValue, buffer) = (layer.QueryWidth, layer.KeyValueWidth, space.Projection);
        var projection = weights.Projection;
        if (projection.Fused is { } fused)
        {
            var width = query + 2 * keyValue;
            fused.Apply(input, count, buffer, pool, observer);
            (queries, keys, values) = (new(buffer, 0, width), new(buffer, query, width), new(buffer, query + keyValue, width));
            return;
        }
        queries = new(buffer, 0, query);
        keys = new(buffer, count * query, keyValue);
        values = new(buffer, count * (query + keyValue), keyValue);
        if (first < count)
            projection.Query!.Apply(input.AsSpan(first * settings.HiddenSize), count - first, buffer.AsSpan(first * query), pool, observer);
        projection.Key!.Apply(input, count, buffer.AsSpan(keys.Offset), pool, observer);
        projection.Value!.Apply(input, count, buffer.AsSpan(values.Offset), pool, observer);
    }

    private void NormAttention(int from, int to)
    {
        for (var token = from; token < to; token++)
            Norms.ApplyRows(settings.Norm, settings.NormEpsilon, weights.AttentionNorm!, HiddenRow(space.Hidden, token), HiddenRow(space.Normed, token));
    }

    /// <summary>Norms and turns queries and keys, scales the queries, and stores keys and values.</summary>
    private void PrepareHeads(int from, int to)
    {
        for (var token = from; token < to; token++)
        {
            if (token >= first)
            {
                var query = queries.Row(token, layer.QueryWidth);
                PrepareHeads(token, query, weights.QueryNorm);
                Vectors.Scale(query, layer.ScoreScale);
            }
            var key = keys.Row(token, layer.KeyValueWidth);
            PrepareHeads(token, key, weights.KeyNorm);
            cache.Write(position + token, key, values.Row(token, layer.KeyValueWidth));
        }
    }

    private void PrepareHeads(int token, Span<float> row, NormWeights? norm)
    {
        if (norm is not null && settings.QueryKeyNorm == QueryKeyNorm.WholeProjection)
            Norms.ApplyRows(settings.Norm, settings.NormEpsilon, norm, row, row);
        else if (norm is not null)
            Norms.ApplyHeads(settings.Norm, settings.NormEpsilon, norm, layer.HeadDim, row);
        rope?.Apply(token, row, layer.HeadDim);
    }

    private void NormFeedForward(int from, int to)
    {
        for (var token = from; token < to; token++)
            Norms.ApplyRows(settings.Norm, settings.NormEpsilon, weights.FeedForwardNorm!, HiddenRow(space.Hidden, token), HiddenRow(space.Normed, token));
    }

    private void AddAttention(int from, int to) => AddBranch(weights.AttentionOutputNorm, from, to);

    private void AddFeedForward(int from, int to) => AddBranch(weights.FeedForwardOutputNorm, from, to);

    private void AddBranch(NormWeights? norm, int from, int to)
    {
        for (var token = from; token < to; token++)
        {
            var branch = HiddenRow(space.Branch, token);
            if (norm is not null)
                Norms.ApplyRows(settings.Norm, settings.NormEpsilon, norm, branch, branch);
            Vectors.AddScaled(HiddenRow(space.Hidden, token), branch, settings.ResidualScale);
        }
    }
}
