namespace Plimsoll.Torch.Data;

/// <summary>The order in which rows are seen: another one for each pass over the data, decided by a seed alone, so that a position in it is one number.</summary>
internal sealed class Shuffle(int count, int seed)
{
    private int epoch = -1;
    private int[] order = [];

    /// <summary>The row that comes at a place of the endless sequence of passes.</summary>
    public int RowAt(long place)
    {
        var wanted = checked((int)(place / count));
        if (wanted != epoch)
        {
            order = Permute(count, Mix((ulong)(uint)seed << 32 | (uint)wanted));
            epoch = wanted;
        }
        return order[place % count];
    }

    /// <summary>A permutation by Fisher and Yates, the numbers from SplitMix64 (Steele, Lea and Flood 2014): the same on every platform and version.</summary>
    private static int[] Permute(int count, ulong state)
    {
        var order = Enumerable.Range(0, count).ToArray();
        for (var last = count - 1; last > 0; last--)
        {
            state += 0x9E3779B97F4A7C15;
            var chosen = (int)(Mix(state) % (ulong)(last + 1));
            (order[last], order[chosen]) = (order[chosen], order[last]);
        }
        return order;
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>The documents in another order, by a seed.</summary>
    public static List<T> Of<T>(IReadOnlyList<T> items, int seed) => [.. Permute(items.Count, Mix((uint)seed)).Select(index => items[index])];
}
