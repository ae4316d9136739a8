using System.Text;

namespace Plimsoll.Testing.Builders;

/// <summary>Writes zip archives of stored entries byte by byte; with <see cref="IsZip64"/> every number that can be is in the zip64 fields.</summary>
public sealed class ZipBuilder
{
    private readonly List<byte> _file = [];
    private readonly List<byte> _directory = [];
    private int _count;

    public bool IsZip64 { get; init; }

    public ushort Method { get; init; }

    public ZipBuilder Entry(string name, byte[] data)
    {
        var offset = _file.Count;
        var nameBytes = Encoding.UTF8.GetBytes(name);
        _file.AddRange([.. U32(0x04034b50), .. new byte[4], .. U16(Method), .. new byte[8], .. U32(data.Length), .. U32(data.Length), .. U16(nameBytes.Length), 0, 0, .. nameBytes, .. data]);
        byte[] extra = IsZip64 ? [.. U16(1), .. U16(24), .. U64(data.Length), .. U64(data.Length), .. U64(offset)] : [];
        var size = IsZip64 ? uint.MaxValue : (uint)data.Length;
        _directory.AddRange([.. U32(0x02014b50), .. new byte[6], .. U16(Method), .. new byte[8], .. U32(size), .. U32(size), .. U16(nameBytes.Length), .. U16(extra.Length),
            .. new byte[10], .. U32(IsZip64 ? uint.MaxValue : (uint)offset), .. nameBytes, .. extra]);
        _count++;
        return this;
    }

    /// <summary>Where the central directory starts.</summary>
    public int DirectoryOffset => _file.Count;

    public byte[] File()
    {
        var end64At = _file.Count + _directory.Count;
        byte[] end64 = IsZip64
            ? [.. U32(0x06064b50), .. U64(44), .. new byte[12], .. U64(_count), .. U64(_count), .. U64(_directory.Count), .. U64(_file.Count), .. U32(0x07064b50), .. U32(0), .. U64(end64At), .. U32(1)]
            : [];
        return
        [
            .. _file, .. _directory, .. end64, .. U32(0x06054b50), .. U32(0), .. U16(IsZip64 ? ushort.MaxValue : _count), .. U16(IsZip64 ? ushort.MaxValue : _count),
            .. U32(IsZip64 ? uint.MaxValue : (uint)_directory.Count), .. U32(IsZip64 ? uint.MaxValue : (uint)_file.Count), 0, 0,
        ];
    }

    private static byte[] U16(int value) => BitConverter.GetBytes((ushort)value);

    private static byte[] U32(long value) => BitConverter.GetBytes((uint)value);

    private static byte[] U64(long value) => BitConverter.GetBytes(value);
}
