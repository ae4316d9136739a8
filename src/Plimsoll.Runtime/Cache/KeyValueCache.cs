using Plimsoll.Numerics;
using Plimsoll.Runtime.Settings;

namespace Plimsoll.Runtime.Cache;

/// <summary>The keys and values of one layer. A layer with a sliding window keeps a ring of cells and drops what no token can see any more.</summary>
internal sealed class KeyValueCache : IDisposable
{
    private readonly int headDim;

    /// <param name="batch">The most tokens that are written before they are read: their first still sees a whole window behind it.</param>
    public KeyValueCache(LayerSettings layer, NumberFormat format, int context, int batch)
    {
        headDim = layer.HeadDim;
        Cells = CellsOf(layer.Window, context, batch);
        Keys = new(format, layer.KeyValueHeads, Cells, headDim);
        Values = new(format, layer.KeyValueHeads, Cells, headDim);
    }

    public int Cells { get; }

    public CacheRows Keys { get; }

    public CacheRows Values { get; }

    public long Bytes => Keys.Bytes + Values.Bytes;

    /// <summary>Cells of a layer: the context, or what a batch can see through a window.</summary>
    public static int CellsOf(int? window, int context, int batch) => window is { } length ? (int)Math.Min(context, (long)length + batch - 1) : context;

    /// <summary>Stores the keys and values of the token at <paramref name="position"/>.</summary>
    /// <param name="keys">(kv_heads, head_dim), and so the values.</param>
    public void Write(int position, ReadOnlySpan<float> keys, ReadOnlySpan<float> values)
    {
        var cell = position % Cells;
        Keys.Write(cell, keys);
        Values.Write(cell, values);
    }

    /// <summary>Reads the rows of the tokens at [position, position + count) of one head, across the end of the ring where they lie so.</summary>
    public void Read(CacheRows rows, int head, int position, int count, Span<float> values)
    {
        var cell = position % Cells;
        var first = Math.Min(count, Cells - cell);
        rows.Read(head, cell, first, values);
        if (first < count)
            rows.Read(head, 0, count - first, values[(first * headDim)..]);
    }

    public void Dispose()
    {
        Keys.Dispose();
        Values.Dispose();
    }
}
