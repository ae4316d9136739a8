namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>One chunk, 16 rows × up to 256 columns, as the integer kernels take it.</summary>
/// <remarks>
/// Codes come in quads of four columns: byte quad · 64 + row · 4 + i is the code of column 4 · quad + i, so a 512-bit vector holds a quad of all rows and
/// each of its 32-bit lanes meets the same four inputs. Scales and minimums are (groups, 16).
/// </remarks>
internal unsafe struct CodeTile
{
    public const int CodeBytes = Panel.Rows * Panel.ChunkColumns;
    public const int QuadBytes = Panel.Rows * 4;
    public const int ScaleCount = Panel.Rows * Panel.ChunkColumns / 16;

    /// <summary>In the tile's own memory, or in the packed weights when these are stored so.</summary>
    public byte* Codes;

    public float* Scales;

    public float* Minimums;
}
