using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear;

/// <summary>How rows of weights in one of the layouts of Hugging Face are handed to the products: blocks of a header (scales) and codes.</summary>
/// <remarks>Checkpoints store codes and scales in several tensors; a row gathers what belongs together, at its packed size and without loss.</remarks>
public abstract record RowFormat
{
    /// <summary>The least columns under one scale that the kernels take.</summary>
    internal const int ShortestBlock = 32;

    /// <summary>Columns of a block.</summary>
    public abstract int BlockLength { get; }

    /// <summary>Bytes before the codes of a block.</summary>
    internal abstract int HeaderBytes { get; }

    /// <summary>Bits of a code.</summary>
    internal abstract int CodeBits { get; }

    internal int BlockBytes => HeaderBytes + BlockLength * CodeBits / 8;

    internal NumberFormat Block => new() { Name = GetType().Name, Kind = NumberFormatKind.Block, BlockLength = BlockLength, BlockBytes = BlockBytes, Summary = "a row of a packed layer" };

    internal abstract PackedMatrix Load(int rows, int columns, RowReader read, SimdLevel level);

    /// <summary>Bytes of a row.</summary>
    public long RowBytes(int columns) => checked((long)(columns / BlockLength) * BlockBytes);

    /// <summary>The longest block that never crosses a group or a chunk; null where it is too short for the kernels.</summary>
    /// <param name="groupLength">Columns that share a scale.</param>
    protected static int? BlockOf(long groupLength, long columns)
    {
        var block = (int)System.Numerics.BigInteger.GreatestCommonDivisor(groupLength, Panel.ChunkColumns);
        if (groupLength >= columns)
            block = (int)System.Numerics.BigInteger.GreatestCommonDivisor(columns, Panel.ChunkColumns);
        return block >= ShortestBlock && columns % block == 0 ? block : null;
    }
}
