namespace Plimsoll.Numerics.Blocks;

/// <summary>A block format whose elements are chosen one by one under stored scales: element = scale · level + offset. Whoever knows better codes than the encoder replaces them.</summary>
public interface IBlockGrid
{
    /// <summary>Elements that share a scale; divides the block length.</summary>
    int SubLength { get; }

    /// <summary>The level of each code, ascending.</summary>
    ReadOnlySpan<float> Levels { get; }

    /// <summary>Reads the scale and the offset of each sub-block.</summary>
    /// <param name="scales">(block length ÷ sub-length); of either sign, zero where all elements are the offset.</param>
    void ReadGrid(ReadOnlySpan<byte> block, Span<float> scales, Span<float> offsets);

    /// <summary>Replaces the codes of a block; its scales stay.</summary>
    /// <param name="codes">(block length).</param>
    void WriteCodes(ReadOnlySpan<byte> codes, Span<byte> block);
}

/// <summary>Levels that are a step apart.</summary>
internal static class EvenLevels
{
    public static float[] Create(int lowest, int count) => [.. Enumerable.Range(lowest, count).Select(level => (float)level)];
}
