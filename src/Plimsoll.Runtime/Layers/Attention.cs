using Plimsoll.Numerics.Linear;
using Plimsoll.Runtime.Cache;
using Plimsoll.Runtime.Settings;

namespace Plimsoll.Runtime.Layers;

/// <summary>Rows of floats inside a buffer.</summary>
internal readonly record struct RowView(float[] Buffer, int Offset, int Stride)
{
    public Span<float> Row(int row, int width) => Buffer.AsSpan(Offset + row * Stride, width);
}

/// <summary>Causal attention of a batch of tokens over the cache, softmax(Q · Kᵀ) · V, grouped by key-value head.</summary>
/// <remarks>
/// The scores are never whole: keys and values are decoded tile by tile to FP32, and the softmax is corrected as larger scores appear (online softmax,
/// arXiv 1805.02867). A piece of work is a key-value head and a block of tokens; all heads of the group use the decoded tile.
/// </remarks>
internal sealed unsafe class Attention
{
    private const int QueryRows = 64;

    [ThreadStatic]
    private static float[]? scratch;

    private readonly ComputePool pool;
    private readonly float? softCap;
    private readonly Action<int, int> work;

    private LayerSettings layer = null!;
    private KeyValueCache cache = null!;
    private RowView queries;
    private RowView outputs;
    private int firstToken;
    private int tokenCount;
    private int position;

    /// <param name="softCap">c in c · tanh(score / c); null for none.</param>
    public Attention(ComputePool pool, float? softCap)
    {
        (this.pool, this.softCap) = (pool, softCap);
        work = Work;
    }

    /// <param name="queries">(tokens, heads, head_dim), rotated and scaled.</param>
    /// <param name="first">The first token of the batch whose output is wanted.</param>
    /// <param name="count">Tokens of the batch, whose keys and values the cache holds.</param>
    /// <param name="position">The position of the batch's first token.</param>
    /// <param name="outputs">(tokens, heads, head_dim); overwritten from <paramref name="first"/> on.</param>
    public void Run(LayerSettings layer, KeyValueCache cache, RowView queries, int first, int count, int position, RowView outputs)
    {
        (this.layer, this.cache, this.queries, this.outputs, this.position) = (layer, cache, queries, outputs, position);
        (firstToken, tokenCount) = (first, count - first);
        pool.For(layer.KeyValueHeads * Blocks, 1, work);
    }

    private int Group => layer.Heads / layer.KeyValueHeads;

    private int BlockTokens => Math.Max(1, QueryRows / Group);

    private int Blocks => (tokenCount + BlockTokens - 1) / BlockTokens;

    private void Work(int from, int to)
    {
        for (var piece = from; piece < to; piece++)
        {
            // The last blocks see the most keys: they go first, so that no thread ends alone with a long one.
            var (block, head) = (Blocks - 1 - piece / layer.KeyValueHeads, piece % layer.KeyValueHeads);
            var first = firstToken + block * BlockTokens;
            AttendBlock(head, first, Math.Min(BlockTokens, firstToken + tokenCount - first));
        }
    }

    private void AttendBlock(int keyHead, int token, int tokens)
    {
        var (dim, group) = (layer.HeadDim, Group);
        var tile = dim > 128 ? 32 : 64;
        var rows = tokens * group;
        var wanted = 3 * tile * dim + rows * (tile + 2);
        if (scratch is null || scratch.Length < wanted)
            scratch = GC.AllocateUninitializedArray<float>(wanted);
        fixed (float* memory = scratch)
        fixed (float* q = &queries.Buffer[queries.Offset])
        fixed (float* o = &outputs.Buffer[outputs.Offset])
        {
            var decoded = memory;
            var keys = decoded + tile * dim;
            var values = keys + tile * dim;
            var scores = values + tile * dim;
            var most = new Span<float>(scores + rows * tile, rows);
            var sums = new Span<float>(scores + rows * (tile + 1), rows);
            most.Fill(float.NegativeInfinity);
            sums.Clear();
            var query = q + (long)token * queries.Stride + keyHead * group * dim;
            var output = o + (long)token * outputs.Stride + keyHead * group * dim;
            for (var each = 0; each < tokens; each++)
                new Span<float>(output + (long)each * outputs.Stride, group * dim).Clear();

            var (start, end) = (FirstVisible(position + token), position + token + tokens);
            for (var at = start; at < end; at += tile)
            {
                var count = Math.Min(tile, end - at);
                cache.Read(cache.Keys, keyHead, at, count, new(decoded, count * dim));
                cache.Read(cache.Values, keyHead, at, count, new(values, count * dim));
                Score(query, tokens, group, dim, decoded, keys, count, tile, scores);
                for (var row = 0; row < rows; row++)
                    Soften(new Span<float>(scores + row * tile, count), at, position + token + row % tokens, ref most[row], ref sums[row], new(output + (long)(row % tokens) * outputs.Stride + row / tokens * dim, dim));
                // The heads of one token lie side by side: together they are the rows of one product.
                if (tokens == 1)
                    Tiles.MultiplyAdd(scores, tile, values, dim, output, dim, group, count, dim);
                for (var head = 0; head < group && tokens > 1; head++)
                    Tiles.MultiplyAdd(scores + head * tokens * tile, tile, values, dim, output + head * dim, outputs.Stride, tokens, count, dim);
            }
            for (var row = 0; row < rows; row++)
                Vectors.Scale(new(output + (long)(row % tokens) * outputs.Stride + row / tokens * dim, dim), 1 / sums[row]);
        }
    }

    private int FirstVisible(int at) => layer.Window is { } window ? Math.Max(0, at - window + 1) : 0;

    /// <summary>Scores, rows ordered (head, token).</summary>
    private void Score(float* query, int tokens, int group, int dim, float* decoded, float* keys, int count, int tile, float* scores)
    {
        if (tokens == 1)
        {
            Tiles.DotRows(query, dim, decoded, scores, tile, group, dim, count);
            return;
        }
        Tiles.Transpose(decoded, count, dim, keys, tile);
        new Span<float>(scores, tokens * group * tile).Clear();
        for (var head = 0; head < group; head++)
            Tiles.MultiplyAdd(query + head * dim, queries.Stride, keys, tile, scores + head * tokens * tile, tile, tokens, dim, count);
    }

    /// <summary>From scores to weights relative to the largest score so far, which rescales what has been summed when it grows.</summary>
    /// <param name="at">The position of the first key.</param>
    /// <param name="token">The position of the query.</param>
    private void Soften(Span<float> scores, int at, int token, ref float most, ref float sum, Span<float> output)
    {
        var from = Math.Clamp(FirstVisible(token) - at, 0, scores.Length);
        var to = Math.Clamp(token + 1 - at, from, scores.Length);
        scores[..from].Clear();
        scores[to..].Clear();
        var seen = scores[from..to];
        if (seen.IsEmpty)
            return;
        if (softCap is { } cap)
            Vectors.SoftCap(seen, cap);
        var top = Vectors.Max(seen);
        if (top > most)
        {
            var correction = MathF.Exp(most - top);
            sum *= correction;
            Vectors.Scale(output, correction);
            most = top;
        }
        sum += Vectors.Exponentials(seen, most);
    }
}
