using System.Buffers;
using Plimsoll.Checkpoints.Layouts;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Checkpoints.Data;

/// <summary>Numbers stored one after the other.</summary>
internal sealed class PlainWeight(ParameterStorage storage, TensorHeader tensor, TensorReader reader) : StoredWeight(storage, tensor.Dimensions)
{
    /// <summary>Bytes read at once: large enough for the disk, small enough for the cache.</summary>
    private const int PieceBytes = 1 << 18;

    protected override void DecodeRows(long firstRow, Span<float> values)
    {
        var size = tensor.Format.BlockBytes;
        var offset = firstRow * RowLength * size;
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(PieceBytes, (long)values.Length * size));
        try
        {
            while (!values.IsEmpty)
            {
                var count = Math.Min(values.Length, PieceBytes / size);
                var bytes = buffer.AsSpan(0, count * size);
                reader.Read(tensor, offset, bytes);
                ElementCodec.Decode(tensor.Format, bytes, values[..count]);
                values = values[count..];
                offset += bytes.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
