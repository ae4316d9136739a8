using System.Text;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.PyTorch;

/// <summary>One entry of a zip archive as its central directory describes it.</summary>
/// <param name="HeaderOffset">Where its local header lies; the data follows that header.</param>
internal sealed record ZipEntry(string Name, int Method, long StoredBytes, long Bytes, long HeaderOffset);

/// <summary>The central directory of a zip archive, zip64 included.</summary>
/// <remarks>
/// Own code instead of System.IO.Compression, because that does not tell where an entry's data lies in the file,
/// which is what a tensor header needs. Format: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3.
/// </remarks>
internal sealed class ZipDirectory
{
    /// <summary>Each costs at least 46 bytes of directory. Ten times the tensors of the largest checkpoints.</summary>
    private const int MaxEntries = 1_000_000;

    private const uint EntrySignature = 0x02014b50;
    private const uint LocalSignature = 0x04034b50;
    private const uint EndSignature = 0x06054b50;
    private const uint End64Signature = 0x06064b50;
    private const uint Locator64Signature = 0x07064b50;
    private const int EndBytes = 22;
    private const int Locator64Bytes = 20;
    private const int EntryBytes = 46;

    private readonly ByteSource _source;
    private readonly long _length;

    private ZipDirectory(ByteSource source, long length)
    {
        _source = source;
        _length = length;
    }

    public List<ZipEntry> Entries { get; } = [];

    public static ZipDirectory Read(ByteSource source)
    {
        var directory = new ZipDirectory(source, source.Length ?? throw new ArgumentException("the length must be known", nameof(source)));
        directory.ReadEntries();
        return directory;
    }

    /// <summary>Where the data of a stored entry starts, after its local header.</summary>
    /// <exception cref="CheckpointFormatException">The entry is compressed, or its header is not where the directory says.</exception>
    public long DataOffset(ZipEntry entry)
    {
        var cursor = new ByteCursor(_source, entry.HeaderOffset, Math.Min(_length, entry.HeaderOffset + 30));
        if (cursor.ReadUInt32("local header") != LocalSignature)
            throw cursor.Bad($"the local header of '{entry.Name}'", "other bytes", entry.HeaderOffset);
        if (entry.Method != 0 || entry.StoredBytes != entry.Bytes)
            throw cursor.Bad($"'{entry.Name}' stored without compression, as torch.save writes it", $"compression method {entry.Method}", entry.HeaderOffset);
        cursor.Skip(22, "local header");
        var start = entry.HeaderOffset + 30 + cursor.ReadUInt16("name length") + cursor.ReadUInt16("extra length");
        if (start > _length || entry.Bytes > _length - start)
            throw cursor.Bad($"{entry.Bytes:N0} bytes of '{entry.Name}'", $"{Math.Max(0, _length - start):N0} bytes left", start);
        return start;
    }

    private void ReadEntries()
    {
        var (offset, size, count) = Locate();
        if (offset > (ulong)_length || size > (ulong)_length - offset || count > MaxEntries || count > size / EntryBytes)
            throw Bad(offset, "a central directory within the file", $"{count:N0} entries in {size:N0} bytes at {offset:N0}");
        var cursor = new ByteCursor(_source, (long)offset, (long)(offset + size));
        for (var index = 0UL; index < count; index++)
            Entries.Add(ReadEntry(cursor));
    }

    /// <summary>Finds the directory through the end record, which only the archive's comment can follow.</summary>
    private (ulong Offset, ulong Size, ulong Count) Locate()
    {
        var tailLength = (int)Math.Min(_length, EndBytes + ushort.MaxValue);
        var tailStart = _length - tailLength;
        var tail = new ByteCursor(_source, tailStart).Take(tailLength, "end of the archive").ToArray();
        for (var at = tailLength - EndBytes; at >= 0; at--)
        {
            var end = tail.AsSpan(at);
            if (BitConverter.ToUInt32(end) != EndSignature || BitConverter.ToUInt16(end[20..]) != end.Length - EndBytes)
                continue;
            var (count, size, offset) = (BitConverter.ToUInt16(end[10..]), BitConverter.ToUInt32(end[12..]), BitConverter.ToUInt32(end[16..]));
            return count == ushort.MaxValue || size == uint.MaxValue || offset == uint.MaxValue
                ? Locate64(tailStart + at - Locator64Bytes) ?? (offset, size, count)
                : (offset, size, count);
        }
        throw Bad(0, "a zip archive with an end record", "none (the file is cut off)");
    }

    private (ulong Offset, ulong Size, ulong Count)? Locate64(long locatorAt)
    {
        if (locatorAt < 0)
            return null;
        var cursor = new ByteCursor(_source, locatorAt, locatorAt + Locator64Bytes);
        if (cursor.ReadUInt32("zip64 locator") != Locator64Signature)
            return null;
        cursor.Skip(4, "zip64 locator");
        var recordAt = cursor.ReadUInt64("zip64 locator");
        if (recordAt > (ulong)_length)
            throw Bad((ulong)locatorAt, "a zip64 end record within the file", $"one at {recordAt:N0}");
        cursor = new ByteCursor(_source, (long)recordAt);
        if (cursor.ReadUInt32("zip64 end record") != End64Signature)
            throw Bad(recordAt, "a zip64 end record", "other bytes");
        cursor.Skip(28, "zip64 end record");
        var count = cursor.ReadUInt64("zip64 end record");
        var size = cursor.ReadUInt64("zip64 end record");
        return (cursor.ReadUInt64("zip64 end record"), size, count);
    }

    private ZipEntry ReadEntry(ByteCursor cursor)
    {
        var at = cursor.Position;
        if (cursor.ReadUInt32("directory entry") != EntrySignature)
            throw cursor.Bad("a directory entry", "other bytes", at);
        cursor.Skip(4, "directory entry");
        var flags = cursor.ReadUInt16("flags");
        if ((flags & 1) != 0)
            throw cursor.Bad("an archive without encryption", "an encrypted entry", at);
        var method = cursor.ReadUInt16("method");
        // Time, date and checksum: torch.load does not check it, and torch.save may leave it out.
        cursor.Skip(8, "directory entry");
        var (stored, bytes) = ((ulong)cursor.ReadUInt32("size"), (ulong)cursor.ReadUInt32("size"));
        var (nameLength, extraLength, commentLength) = (cursor.ReadUInt16("length"), cursor.ReadUInt16("length"), cursor.ReadUInt16("length"));
        cursor.Skip(8, "directory entry");
        var header = (ulong)cursor.ReadUInt32("offset");
        var name = Encoding.UTF8.GetString(cursor.Take(nameLength, "entry name"));
        ReadExtra(cursor.Take(extraLength, "extra fields"), ref bytes, ref stored, ref header);
        cursor.Skip(commentLength, "comment");
        if (header > (ulong)_length || stored > (ulong)_length || bytes > long.MaxValue)
            throw cursor.Bad($"'{name}' within the file", $"{stored:N0} bytes at {header:N0}", at);
        return new(name, method, (long)stored, (long)bytes, (long)header);
    }

    /// <summary>The zip64 field holds, in this order, those of the three numbers that did not fit 32 bits.</summary>
    private static void ReadExtra(ReadOnlySpan<byte> extra, ref ulong bytes, ref ulong stored, ref ulong header)
    {
        while (extra.Length >= 4)
        {
            var (id, size) = (BitConverter.ToUInt16(extra), BitConverter.ToUInt16(extra[2..]));
            if (size > extra.Length - 4)
                return;
            if (id == 1)
            {
                var field = extra.Slice(4, size);
                Widen(ref bytes, ref field);
                Widen(ref stored, ref field);
                Widen(ref header, ref field);
                return;
            }
            extra = extra[(4 + size)..];
        }
    }

    private static void Widen(ref ulong value, ref ReadOnlySpan<byte> field)
    {
        if (value != uint.MaxValue || field.Length < 8)
            return;
        value = BitConverter.ToUInt64(field);
        field = field[8..];
    }

    private CheckpointFormatException Bad(ulong at, string expected, string found) => new(_source.Path, (long)Math.Min(at, long.MaxValue), expected, found);
}
