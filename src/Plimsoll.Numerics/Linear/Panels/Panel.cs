namespace Plimsoll.Numerics.Linear;

/// <summary>How weights lie in memory: panels of 16 rows, each cut into chunks of up to 256 columns, in whose layout the 16 rows are interleaved.</summary>
/// <remarks>
/// A chunk takes the bytes that its 16 × columns elements take in the file. Rows are filled up with zeros to a multiple of 16; columns are not filled up.
/// A product unpacks one chunk at a time into a tile in the first-level cache and lets every column of inputs meet it there: once for one column when a
/// model generates, once for a hundred when it reads a prompt.
/// </remarks>
internal static class Panel
{
    /// <summary>Rows of a panel: one lane each of a 512-bit vector.</summary>
    public const int Rows = 16;

    /// <summary>Columns of a chunk: the longest block of any format.</summary>
    public const int ChunkColumns = 256;

    public static int Count(int rows) => (rows + Rows - 1) / Rows;
}
