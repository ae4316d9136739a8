using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Numerics.Linear.Floats;

/// <summary>Any block format with a codec: a chunk holds the stored blocks of its 16 rows one row after the other.</summary>
internal sealed unsafe class CodecPanels(BlockCodec codec) : FloatPanels(codec.Format)
{
    public override void Pack(byte* rows, long stride, int columns, byte* chunk)
    {
        var bytes = Format.BytesFor(columns);
        for (var row = 0; row < Panel.Rows; row++)
            Buffer.MemoryCopy(rows + row * stride, chunk + row * bytes, bytes, bytes);
    }

    public override void Unpack(byte* chunk, int columns, float* tile)
    {
        var bytes = (int)Format.BytesFor(columns);
        Span<float> values = stackalloc float[Panel.ChunkColumns];
        for (var row = 0; row < Panel.Rows; row++)
        {
            codec.Decode(new ReadOnlySpan<byte>(chunk + row * bytes, bytes), values[..columns]);
            for (var k = 0; k < columns; k++)
                tile[k * Panel.Rows + row] = values[k];
        }
    }
}
