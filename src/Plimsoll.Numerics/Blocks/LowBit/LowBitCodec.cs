using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.LowBit;

/// <summary>A format of one or two bits per weight whose scale is a plain statistic of the block, for models trained with such weights.</summary>
internal abstract class LowBitCodec<T>(string name) : BlockCodec where T : unmanaged, ILanes<T>
{
    public sealed override NumberFormat Format { get; } = NumberFormats.Find(name)!;

    public sealed override ImportanceUse Importance => ImportanceUse.Ignored;

    protected abstract void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block);

    protected abstract void DecodeBlock(ReadOnlySpan<byte> block, Span<float> values);

    protected sealed override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        for (; !values.IsEmpty; values = values[Format.BlockLength..], blocks = blocks[Format.BlockBytes..])
            EncodeBlock(values[..Format.BlockLength], blocks[..Format.BlockBytes]);
    }

    protected sealed override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[Format.BlockLength..], blocks = blocks[Format.BlockBytes..])
            DecodeBlock(blocks[..Format.BlockBytes], values[..Format.BlockLength]);
    }
}
