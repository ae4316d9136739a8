using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Runtime.Cache;

/// <summary>The keys, or the values, of one layer: (head, cell, head_dim) in a number format.</summary>
/// <remarks>Its memory is claimed whole when it is made, so that a run which has started does not run out of it later.</remarks>
internal sealed unsafe class CacheRows : IDisposable
{
    /// <summary>FP32 keys of 32 heads of 128: wider layers write through an array.</summary>
    private const int MaxStackBytes = 1 << 14;

    private readonly NumberFormat format;
    private readonly BlockCodec? codec;
    private readonly int cells;
    private readonly int headDim;
    private readonly int rowBytes;
    private byte* memory;

    /// <exception cref="OutOfMemoryException">The system has no more memory.</exception>
    public CacheRows(NumberFormat format, int heads, int cells, int headDim)
    {
        (this.format, this.cells, this.headDim) = (format, cells, headDim);
        codec = BlockCodecs.Find(format);
        rowBytes = checked((int)format.BytesFor(headDim));
        Bytes = checked((long)heads * cells * rowBytes);
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, 64);
        NativeMemory.Clear(memory, (nuint)Bytes);
    }

    ~CacheRows() => Free();

    public long Bytes { get; }

    /// <param name="values">(heads, head_dim) of one token: encoded at once, then dealt out to the heads.</param>
    [SkipLocalsInit]
    public void Write(int cell, ReadOnlySpan<float> values)
    {
        var heads = values.Length / headDim;
        var size = heads * rowBytes;
        Span<byte> rows = size <= MaxStackBytes ? stackalloc byte[MaxStackBytes] : new byte[size];
        rows = rows[..size];
        if (codec is not null)
            codec.Encode(values, headDim, rows);
        else
            ElementCodec.Encode(format, values, rows);
        for (var head = 0; head < heads; head++)
            rows.Slice(head * rowBytes, rowBytes).CopyTo(Rows(head, cell, 1));
    }

    /// <param name="values">Receives (count, head_dim), the cells from <paramref name="cell"/> on, without wrapping.</param>
    public void Read(int head, int cell, int count, Span<float> values)
    {
        var rows = Rows(head, cell, count);
        values = values[..(count * headDim)];
        if (codec is not null)
            codec.Decode(rows, values);
        else
            ElementCodec.Decode(format, rows, values);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Span<byte> Rows(int head, int cell, int count) => new(memory + ((long)head * cells + cell) * rowBytes, count * rowBytes);

    private void Free()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }
}
