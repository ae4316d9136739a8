using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Blocks that lie behind each other, put side by side into lanes.</summary>
internal static class Transposition
{
    /// <summary>Block s goes to lane s: element i of it to lane s of value i. Lanes without a block are zero.</summary>
    /// <param name="source">At most <c>Count</c> blocks.</param>
    /// <param name="lanes">(block length).</param>
    public static void ToLanes<T>(ReadOnlySpan<float> source, Span<T> lanes) where T : unmanaged, ILanes<T> =>
        ToLanes(source, 0, source.Length / lanes.Length, lanes);

    /// <summary>The same for <paramref name="blocks"/> blocks from <paramref name="offset"/> on, going on at the start of the source after its end.</summary>
    public static void ToLanes<T>(ReadOnlySpan<float> source, int offset, int blocks, Span<T> lanes) where T : unmanaged, ILanes<T>
    {
        var target = MemoryMarshal.Cast<T, float>(lanes);
        if (blocks < T.Count)
            target.Clear();
        for (var lane = 0; lane < blocks; lane++)
        {
            var block = source.Slice((offset + lane * lanes.Length) % source.Length, lanes.Length);
            for (var i = 0; i < block.Length; i++)
                target[i * T.Count + lane] = block[i];
        }
    }
}
