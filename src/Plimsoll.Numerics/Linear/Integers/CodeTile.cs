namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>One chunk, 16 rows × up to 256 columns, as the integer kernels take it.</summary>
internal unsafe struct CodeTile
{
    /// <summary>Bytes of the codes of a chunk once they are unpacked.</summary>
    public const int CodeBytes = Panel.Rows * Panel.ChunkColumns;

    /// <summary>Bytes of <see cref="Codes"/>.</summary>
    public const int CodeMemory = 2 * CodeBytes;

    /// <summary>Bytes of a quad: byte row · 4 + i is the code of its column i, so each 32-bit lane of a vector meets the same four inputs.</summary>
    public const int QuadBytes = Panel.Rows * 4;

    /// <summary>Scales of a chunk, a group of 16 columns each.</summary>
    public const int ScaleCount = Panel.Rows * Panel.ChunkColumns / 16;

    /// <summary>Codes in the planes of their layout, in the packed weights.</summary>
    public byte* Planes;

    /// <summary>Memory for the unpacked codes, quad by quad, and as much behind them for formats whose codes lie in no planes.</summary>
    public byte* Codes;

    /// <summary>(groups, 16).</summary>
    public float* Scales;

    /// <summary>(groups, 16); without meaning where the layout has none.</summary>
    public float* Minimums;
}
