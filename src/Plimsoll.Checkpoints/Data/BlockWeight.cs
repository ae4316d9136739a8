using System.Buffers;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Checkpoints.Data;

/// <summary>The blocks of a GGUF tensor.</summary>
internal sealed class BlockWeight : StoredWeight
{
    private const int PieceBytes = 1 << 18;

    private readonly TensorHeader tensor;
    private readonly BlockCodec codec;
    private readonly TensorReader reader;

    /// <exception cref="CheckpointFormatException">A row is no whole number of blocks.</exception>
    public BlockWeight(ParameterStorage storage, TensorHeader tensor, BlockCodec codec, TensorReader reader) : base(storage, tensor.Dimensions)
    {
        (this.tensor, this.codec, this.reader) = (tensor, codec, reader);
        if (RowLength % codec.Format.BlockLength != 0)
            throw new CheckpointFormatException(tensor.File, tensor.Offset, $"rows of '{tensor.Name}' in whole blocks of {codec.Format.BlockLength}", $"rows of {RowLength}");
    }

    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        var (length, size) = (codec.Format.BlockLength, codec.Format.BlockBytes);
        var offset = firstRow * codec.Format.BytesFor(RowLength);
        var blocksAtOnce = PieceBytes / size;
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(blocksAtOnce, values.Length / length) * size);
        try
        {
            while (!values.IsEmpty)
            {
                var blocks = Math.Min(blocksAtOnce, values.Length / length);
                var bytes = buffer.AsSpan(0, blocks * size);
                reader.Read(tensor, offset, bytes);
                codec.Decode(bytes, values[..(blocks * length)]);
                values = values[(blocks * length)..];
                offset += bytes.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
