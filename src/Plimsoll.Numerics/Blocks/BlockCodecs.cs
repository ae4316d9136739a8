using System.Collections.Frozen;

namespace Plimsoll.Numerics.Blocks;

/// <summary>The codec of each block format that the product can write and read.</summary>
public static class BlockCodecs
{
    public static IReadOnlyList<BlockCodec> All { get; } = [];

    private static readonly FrozenDictionary<NumberFormat, BlockCodec> ByFormat = All.ToFrozenDictionary(codec => codec.Format);

    /// <summary>The codec of a format; null when there is none.</summary>
    public static BlockCodec? Find(NumberFormat format) => ByFormat.GetValueOrDefault(format);
}
