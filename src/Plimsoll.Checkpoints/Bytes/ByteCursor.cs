using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Plimsoll.Checkpoints.Bytes;

/// <summary>Reads little-endian fields one after the other through a window of 64 KiB, and compares every claimed length with the bytes left first.</summary>
/// <remarks>Positions count from the start of the file, also when the cursor is confined to a part of it.</remarks>
internal sealed class ByteCursor
{
    /// <summary>The most bytes that <see cref="TakeLine"/> looks through for a line feed.</summary>
    public const int WindowBytes = 64 * 1024;

    private readonly ByteSource _source;
    private readonly byte[] _window;
    private long _windowStart;
    private int _windowLength;

    /// <param name="start">Where reading begins.</param>
    /// <param name="end">The first byte that may not be read; null for the end of the file.</param>
    public ByteCursor(ByteSource source, long start = 0, long? end = null)
    {
        _source = source;
        Position = start;
        End = end ?? source.Length;
        _window = new byte[(int)Math.Min(WindowBytes, Math.Max(16, End - start ?? WindowBytes))];
        _windowStart = start;
    }

    public string Path => _source.Path;

    public long Position { get; private set; }

    /// <summary>The first byte after the readable part; null when the length of the file is unknown.</summary>
    public long? End { get; }

    /// <summary>Bytes that can still be read; a number beyond every file when the length is unknown.</summary>
    public long Remaining => (End ?? long.MaxValue) - Position;

    /// <summary>A failure at the current position, or at <paramref name="at"/>.</summary>
    public CheckpointFormatException Bad(string expected, string found, long? at = null) => new(Path, at ?? Position, expected, found);

    /// <exception cref="CheckpointFormatException">Fewer bytes are left.</exception>
    public void Require(long bytes, string what)
    {
        if (bytes < 0 || bytes > Remaining)
            throw Bad($"{what} of {(ulong)bytes:N0} bytes", $"{Math.Max(0, Remaining):N0} bytes left");
    }

    public byte ReadByte(string what) => Take(1, what)[0];

    public ushort ReadUInt16(string what) => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, what));

    public uint ReadUInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    public ulong ReadUInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>The next bytes, valid until the next call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Take(int count, string what)
    {
        var at = Position - _windowStart;
        if (at + count > _windowLength)
            return TakeSlowly(count, what);
        Position += count;
        return _window.AsSpan((int)at, count);
    }

    /// <summary>Text of <paramref name="bytes"/> bytes; what is not UTF-8 becomes U+FFFD.</summary>
    public string ReadText(long bytes, string what)
    {
        Require(bytes, what);
        return bytes == 0 ? "" : Encoding.UTF8.GetString(Take(checked((int)bytes), what));
    }

    /// <summary>The bytes up to the next line feed, which is consumed and not returned.</summary>
    /// <exception cref="CheckpointFormatException">No line feed within the window.</exception>
    public ReadOnlySpan<byte> TakeLine(string what)
    {
        for (var length = 0; length < WindowBytes && length < Remaining; length++)
        {
            if (At(length, what) == (byte)'\n')
                return Take(length + 1, what)[..length];
        }
        throw Bad($"{what} that ends in a line feed within {WindowBytes:N0} bytes", "none");
    }

    public void Skip(long bytes, string what)
    {
        Require(bytes, what);
        Position += bytes;
    }

    /// <summary>The byte <paramref name="ahead"/> of the position, without moving.</summary>
    private byte At(int ahead, string what)
    {
        var at = Position - _windowStart + ahead;
        if (at < _windowLength)
            return _window[at];
        var position = Position;
        var value = Take(ahead + 1, what)[ahead];
        Position = position;
        return value;
    }

    private ReadOnlySpan<byte> TakeSlowly(int count, string what)
    {
        Require(count, what);
        _source.Expect(checked(Position + count));
        // Longer than the window: an array of its own, which Require has bounded by the file.
        var target = count <= _window.Length ? _window : new byte[count];
        var filled = 0;
        while (filled < count)
        {
            var wanted = (int)Math.Min(target.Length - filled, Remaining - filled);
            var read = _source.Read(Position + filled, target.AsSpan(filled, wanted));
            if (read == 0)
                throw Bad($"{what} of {count:N0} bytes", $"the end of the file after {filled:N0}");
            filled += read;
        }
        if (ReferenceEquals(target, _window))
            (_windowStart, _windowLength) = (Position, filled);
        Position += count;
        return target.AsSpan(0, count);
    }
}
