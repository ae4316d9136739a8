using System.Collections.Frozen;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks;

/// <summary>The codec of each block format that the product can write and read.</summary>
public static class BlockCodecs
{
    public static IReadOnlyList<BlockCodec> All { get; } =
        Vector512.IsHardwareAccelerated ? [.. GgmlCodecs.Uniform<Lanes16>(), .. GgmlCodecs.NonUniform<Lanes8>()] : Vector256.IsHardwareAccelerated ? GgmlCodecs.Of<Lanes8>() : GgmlCodecs.Of<Lanes1>();

    private static readonly FrozenDictionary<NumberFormat, BlockCodec> ByFormat = All.ToFrozenDictionary(codec => codec.Format);

    /// <summary>The codec of a format; null when there is none.</summary>
    public static BlockCodec? Find(NumberFormat format) => ByFormat.GetValueOrDefault(format);
}
