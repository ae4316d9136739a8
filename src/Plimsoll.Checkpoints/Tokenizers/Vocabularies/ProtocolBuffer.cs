using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Tokenizers.Vocabularies;

/// <summary>Walks the fields of a protocol buffer: a tag (number and wire type), then a number or a length with its bytes.</summary>
internal static class ProtocolBuffer
{
    /// <summary>Reads the next field up to its content.</summary>
    /// <returns>Its number; the bytes of content that follow the cursor, or −1 when the content was a number, which is consumed and given as its 64 bits.</returns>
    /// <exception cref="CheckpointFormatException">These bytes are no field.</exception>
    public static (long Number, long Length, long Value) ReadField(ByteCursor cursor)
    {
        var at = cursor.Position;
        var tag = ReadVarint(cursor);
        switch (tag & 7)
        {
            case 0:
                return (tag >> 3, -1, ReadVarint(cursor));
            case 1:
                return (tag >> 3, -1, (long)cursor.ReadUInt64("number"));
            case 2:
                var length = ReadVarint(cursor);
                cursor.Require(length, "field");
                return (tag >> 3, length, 0);
            case 5:
                return (tag >> 3, -1, cursor.ReadUInt32("number"));
            default:
                throw cursor.Bad("a field of a protocol buffer", $"wire type {tag & 7}", at);
        }
    }

    private static long ReadVarint(ByteCursor cursor)
    {
        var at = cursor.Position;
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = cursor.ReadByte("number");
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return (long)value;
        }
        throw cursor.Bad("a number of at most ten bytes", "a longer one", at);
    }
}
