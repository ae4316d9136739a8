namespace Plimsoll.Numerics.Linear;

/// <summary>Brings stored rows, 16 at a time, into panels.</summary>
internal static unsafe class PanelLoader
{
    /// <summary>Takes 16 rows of one chunk into the layout of panels.</summary>
    /// <param name="rows">The bytes of the chunk's columns in the first row.</param>
    /// <param name="stride">Bytes from row to row.</param>
    public delegate void Pack(int panel, int chunk, byte* rows, long stride);

    /// <param name="rowBytes">Bytes of a stored row.</param>
    /// <param name="chunkRowBytes">Bytes of 256 stored columns.</param>
    public static void Load(int rows, long rowBytes, long chunkRowBytes, int chunks, RowReader read, Pack pack)
    {
        using var buffer = new NativeBuffer(checked(Panel.Rows * rowBytes));
        if (buffer.Bytes > int.MaxValue)
            throw new ArgumentException($"16 rows of {rowBytes} bytes exceed 2 GiB", nameof(rowBytes));
        for (var panel = 0; panel < Panel.Count(rows); panel++)
        {
            var present = Math.Min(Panel.Rows, rows - panel * Panel.Rows);
            var filled = (int)(present * rowBytes);
            read(panel * Panel.Rows, new Span<byte>(buffer.Address, filled));
            new Span<byte>(buffer.Address + filled, (int)buffer.Bytes - filled).Clear();
            for (var chunk = 0; chunk < chunks; chunk++)
                pack(panel, chunk, buffer.Address + chunk * chunkRowBytes, rowBytes);
        }
    }
}
