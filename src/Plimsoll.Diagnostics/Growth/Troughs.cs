namespace Plimsoll.Diagnostics.Growth;

/// <summary>The lowest sample of each block of a series: what no collection, no end of a request and no pause brings back.</summary>
/// <remarks>Means and peaks move with the load; what is lost to a leak stays in the troughs. Coarse blocks also take away most of the autocorrelation that deceives trend tests.</remarks>
internal readonly record struct Troughs(double[] At, double[] Bytes)
{
    public const int MostBlocks = 40;

    /// <summary>Samples that a block holds at least, where there are enough to choose.</summary>
    private const int SmallestBlock = 5;

    /// <summary>Fewer collections say less than blocks do.</summary>
    private const int FewestCollections = 8;

    /// <summary>Below so many samples each is a block of its own.</summary>
    private const int FewSamples = 40;

    public int Count => At.Length;

    /// <param name="resets">How often the series falls back to its base: a block then holds at least one whole cycle, where enough blocks remain.</param>
    /// <param name="mostBlocks">The grain: fewer blocks are longer.</param>
    public static Troughs Of(ReadOnlySpan<double> at, ReadOnlySpan<double> bytes, int resets, int mostBlocks)
    {
        var blocks = at.Length < FewSamples ? at.Length : Math.Clamp(at.Length / SmallestBlock, 8, mostBlocks);
        if (resets >= 6)
            blocks = Math.Clamp(resets / 2, 8, blocks);
        var troughs = new Troughs(new double[blocks], new double[blocks]);
        for (var block = 0; block < blocks; block++)
        {
            var from = (int)((long)block * at.Length / blocks);
            var to = (int)((long)(block + 1) * at.Length / blocks);
            var lowest = from;
            for (var index = from + 1; index < to; index++)
            {
                if (bytes[index] < bytes[lowest])
                    lowest = index;
            }
            (troughs.At[block], troughs.Bytes[block]) = (at[lowest], bytes[lowest]);
        }
        return troughs;
    }

    /// <summary>What collections leave behind: the lowest sample of each sharp fall, where there are enough; null where there are not.</summary>
    /// <remarks>The cycles of a garbage collector are of any length, so blocks of one length hold none or several of them and their minima scatter.</remarks>
    public static Troughs? AfterCollections(ReadOnlySpan<double> at, ReadOnlySpan<double> bytes)
    {
        var lows = Resets.SharpFalls(bytes);
        if (lows.Count < FewestCollections)
            return null;
        var blocks = Math.Min(lows.Count, MostBlocks);
        var troughs = new Troughs(new double[blocks], new double[blocks]);
        for (var block = 0; block < blocks; block++)
        {
            var lowest = lows[block * lows.Count / blocks];
            foreach (var low in lows.GetRange(block * lows.Count / blocks, ((block + 1) * lows.Count / blocks) - (block * lows.Count / blocks)))
            {
                if (bytes[low] < bytes[lowest])
                    lowest = low;
            }
            (troughs.At[block], troughs.Bytes[block]) = (at[lowest], bytes[lowest]);
        }
        return troughs;
    }

    /// <summary>How much each of <paramref name="windows"/> disjoint parts of the run rises, in bytes per unit.</summary>
    public double[] WindowSlopes(int windows)
    {
        var slopes = new double[windows];
        for (var window = 0; window < windows; window++)
        {
            // Neighbours share their border point, so that a rise between two windows belongs to one of them.
            var from = window * (Count - 1) / windows;
            var to = (window + 1) * (Count - 1) / windows;
            slopes[window] = Trend.TheilSen(At.AsSpan(from, to - from + 1), Bytes.AsSpan(from, to - from + 1)).Median;
        }
        return slopes;
    }
}
