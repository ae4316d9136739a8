using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Blocks.Lattice;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>IQ1, IQ2 and IQ3: a chunk holds the stored blocks of its 16 rows one after the other; its points are looked up before they are multiplied.</summary>
internal sealed unsafe class LatticePanels(ISignedCodes codec) : IntegerPanels(codec.Format)
{
    private const int ScaledLength = 16;

    public static LatticePanels Of(string format) => new((ISignedCodes)BlockCodecs.Find(NumberFormats.Find(format)!)!);

    public override void Pack(byte* rows, long stride, int columns, byte* chunk)
    {
        for (var row = 0; row < Panel.Rows; row++)
            Buffer.MemoryCopy(rows + row * stride, chunk + row * Format.BlockBytes, Format.BlockBytes, Format.BlockBytes);
    }

    [SkipLocalsInit]
    public override void Unpack(byte* chunk, int columns, ref CodeTile tile)
    {
        var codes = stackalloc ulong[Panel.ChunkColumns / 8];
        var scales = stackalloc float[Panel.ChunkColumns / ScaledLength];
        tile.Planes = tile.Codes + CodeTile.CodeBytes;
        for (var row = 0; row < Panel.Rows; row++)
        {
            codec.Read(new(chunk + row * Format.BlockBytes, Format.BlockBytes), new(codes, Panel.ChunkColumns / 8), new(scales, Panel.ChunkColumns / ScaledLength));
            var target = (uint*)tile.Planes + row;
            for (var quad = 0; quad < Panel.ChunkColumns / 4; quad++)
                target[quad * Panel.Rows] = ((uint*)codes)[quad];
            for (var group = 0; group < Panel.ChunkColumns / ScaledLength; group++)
                tile.Scales[group * Panel.Rows + row] = scales[group];
        }
    }

    public override float Read(CodeTile tile, int row, int column) =>
        tile.Scales[column / ScaledLength * Panel.Rows + row] * (sbyte)tile.Planes[column / 4 * CodeTile.QuadBytes + row * 4 + column % 4];

    public override IntegerKernel Kernel(SimdLevel level) => IntegerKernel.For<BytesBy16>(level);
}
