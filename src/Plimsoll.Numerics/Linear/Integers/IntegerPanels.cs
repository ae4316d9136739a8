using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>A block format whose codes are multiplied as integers.</summary>
/// <remarks>
/// A chunk begins with the scale bytes of its blocks as the file holds them, each byte of 16 rows side by side, (blocks, scale bytes, 16); then come the
/// planes of its codes, 32 columns at a time. Nothing is added, so a chunk has the bytes of its blocks.
/// </remarks>
internal abstract unsafe class IntegerPanels(NumberFormat format)
{
    public NumberFormat Format { get; } = format;

    /// <summary>Bytes of a chunk of 16 rows × <paramref name="columns"/>.</summary>
    public int ChunkBytes(int columns) => checked((int)(Panel.Rows * Format.BytesFor(columns)));

    /// <summary>Takes a chunk of 16 rows from their stored layout.</summary>
    /// <param name="rows">The stored bytes of the chunk's columns in the first row; the others follow at <paramref name="stride"/> bytes.</param>
    public abstract void Pack(byte* rows, long stride, int columns, byte* chunk);

    /// <summary>Makes a chunk ready for the kernel: its scales are computed, its codes pointed at.</summary>
    public abstract void Unpack(byte* chunk, int columns, ref CodeTile tile);

    /// <summary>One value of an unpacked chunk.</summary>
    public abstract float Read(CodeTile tile, int row, int column);

    public abstract IntegerKernel Kernel(SimdLevel level);
}

/// <param name="scaleBytes">Where the bytes of a block lie that are not codes.</param>
internal abstract unsafe class IntegerPanels<TLayout>(NumberFormat format, params Range[] scaleBytes) : IntegerPanels(format)
    where TLayout : struct, ICodeLayout
{
    private readonly int[] scaleOffsets =
        [.. scaleBytes.SelectMany(range => Enumerable.Range(range.Start.Value, range.End.Value - range.Start.Value))];

    /// <param name="format">Its name.</param>
    /// <param name="scaleBytes">Where the bytes of a block lie that are not codes.</param>
    protected IntegerPanels(string format, params Range[] scaleBytes) : this(NumberFormats.Find(format)!, scaleBytes)
    {
    }

    [SkipLocalsInit]
    public sealed override void Pack(byte* rows, long stride, int columns, byte* chunk)
    {
        var tile = stackalloc byte[CodeTile.CodeBytes];
        Span<byte> codes = stackalloc byte[Panel.ChunkColumns];
        var blocks = columns / Format.BlockLength;
        for (var row = 0; row < Panel.Rows; row++)
        {
            for (var block = 0; block < blocks; block++)
            {
                var stored = new ReadOnlySpan<byte>(rows + row * stride + block * Format.BlockBytes, Format.BlockBytes);
                for (var i = 0; i < scaleOffsets.Length; i++)
                    chunk[(block * scaleOffsets.Length + i) * Panel.Rows + row] = stored[scaleOffsets[i]];
                ReadCodes(stored, codes[(block * Format.BlockLength)..][..Format.BlockLength]);
            }
            var quads = MemoryMarshal.Cast<byte, uint>(codes[..columns]);
            for (var quad = 0; quad < quads.Length; quad++)
                ((uint*)tile)[quad * Panel.Rows + row] = quads[quad];
        }
        var planes = chunk + blocks * scaleOffsets.Length * Panel.Rows;
        for (var group = 0; group < columns / 32; group++)
            CodePlanes.Pack<TLayout>(tile + group * 8 * CodeTile.QuadBytes, planes + group * CodePlanes.GroupBytes<TLayout>());
    }

    public sealed override void Unpack(byte* chunk, int columns, ref CodeTile tile)
    {
        var blocks = columns / Format.BlockLength;
        UnpackScales(chunk, blocks, tile.Scales, tile.Minimums);
        tile.Planes = chunk + blocks * scaleOffsets.Length * Panel.Rows;
    }

    public sealed override float Read(CodeTile tile, int row, int column)
    {
        var code = CodePlanes.Read<TLayout>(tile.Planes + column / 32 * CodePlanes.GroupBytes<TLayout>(), row, column % 32);
        var group = column / TLayout.GroupLength * Panel.Rows + row;
        return TLayout.HasMinimums ? tile.Scales[group] * code - tile.Minimums[group] : tile.Scales[group] * (code - TLayout.Centre);
    }

    public sealed override IntegerKernel Kernel(SimdLevel level) => IntegerKernel.For<TLayout>(level);

    /// <summary>The codes of one stored block, one per byte, in the order of its columns.</summary>
    protected abstract void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes);

    /// <summary>Scales and minimums of the groups of all blocks, (groups, 16) each.</summary>
    /// <param name="bytes">Their scale bytes, (blocks, scale bytes, 16).</param>
    protected abstract void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums);
}
