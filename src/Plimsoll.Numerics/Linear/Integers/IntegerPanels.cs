using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>A block format whose codes are multiplied as integers.</summary>
/// <remarks>
/// A chunk begins with the scale bytes of its blocks as the file holds them, each byte of 16 rows side by side, (blocks, scale bytes, 16); then come the
/// planes of its codes, 32 columns at a time. Nothing is added, so a chunk has the bytes of its blocks.
/// </remarks>
/// <param name="shape">What the kernels know of the tile.</param>
/// <param name="planes">How codes are kept.</param>
/// <param name="scaleBytes">Where the bytes of a block lie that are not codes.</param>
internal abstract unsafe class IntegerPanels(NumberFormat format, TileShape shape, CodePlanes planes, params Range[] scaleBytes)
{
    private readonly int[] scaleOffsets =
        [.. scaleBytes.SelectMany(range => Enumerable.Range(range.Start.Value, range.End.Value - range.Start.Value))];

    public NumberFormat Format { get; } = format;

    public TileShape Shape { get; } = shape;

    protected CodePlanes Planes { get; } = planes;

    /// <summary>Bytes of a chunk of 16 rows × <paramref name="columns"/>.</summary>
    public int ChunkBytes(int columns) => checked((int)(Panel.Rows * Format.BytesFor(columns)));

    /// <summary>Takes a chunk of 16 rows from their stored layout.</summary>
    /// <param name="rows">The stored bytes of the chunk's columns in the first row; the others follow at <paramref name="stride"/> bytes.</param>
    [SkipLocalsInit]
    public void Pack(byte* rows, long stride, int columns, byte* chunk)
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
        var target = chunk + blocks * scaleOffsets.Length * Panel.Rows;
        for (var group = 0; group < columns / 32; group++)
            Planes.Pack(tile + group * 8 * CodeTile.QuadBytes, target + group * Planes.Bits() * CodeTile.QuadBytes);
    }

    /// <summary>Unpacks a chunk.</summary>
    /// <param name="tile">Its memory is filled; codes that lie ready in the chunk are pointed at instead.</param>
    public void Unpack(byte* chunk, int columns, ref CodeTile tile)
    {
        var blocks = columns / Format.BlockLength;
        var groups = Format.BlockLength / Shape.GroupLength() * Panel.Rows;
        for (var block = 0; block < blocks; block++)
            UnpackScales(chunk + block * scaleOffsets.Length * Panel.Rows, tile.Scales + block * groups, tile.Minimums + block * groups);
        var codes = chunk + blocks * scaleOffsets.Length * Panel.Rows;
        if (HasReadyCodes)
            tile.Codes = codes;
        else
            UnpackCodes(codes, columns / 32, tile.Codes);
    }

    protected virtual bool HasReadyCodes => false;

    /// <summary>The codes of one stored block, one per byte, in the order of its columns.</summary>
    protected abstract void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes);

    /// <summary>Scales and minimums of the groups of one block, (groups, 16) each.</summary>
    /// <param name="bytes">Its scale bytes, (scale bytes, 16).</param>
    protected abstract void UnpackScales(byte* bytes, float* scales, float* minimums);

    protected virtual void UnpackCodes(byte* source, int groups, byte* codes) => Planes.Unpack(source, groups, codes);
}
