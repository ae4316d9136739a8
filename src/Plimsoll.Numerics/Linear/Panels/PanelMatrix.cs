namespace Plimsoll.Numerics.Linear;

/// <summary>A matrix in panels: what the float and the integer products have in common.</summary>
internal abstract unsafe class PanelMatrix : PackedMatrix
{
    private readonly NativeBuffer panels;
    private readonly long panelBytes;
    private readonly int chunkBytes;

    /// <param name="chunkBytes">Bytes of a chunk of 16 × 256 elements.</param>
    /// <param name="lastChunkBytes">Bytes of the chunk that ends a row, when the columns are no multiple of 256.</param>
    protected PanelMatrix(int rows, int columns, int chunkBytes, int lastChunkBytes)
    {
        Rows = rows;
        Columns = columns;
        this.chunkBytes = chunkBytes;
        panelBytes = checked((long)(columns / Panel.ChunkColumns) * chunkBytes + (columns % Panel.ChunkColumns == 0 ? 0 : lastChunkBytes));
        panels = new NativeBuffer(checked(Panel.Count(rows) * panelBytes));
    }

    public override int Rows { get; }

    public override int Columns { get; }

    public override long Bytes => panels.Bytes;

    protected int Chunks => (Columns + Panel.ChunkColumns - 1) / Panel.ChunkColumns;

    public override void Dispose()
    {
        panels.Dispose();
        GC.SuppressFinalize(this);
    }

    protected int ColumnsOf(int chunk) => Math.Min(Panel.ChunkColumns, Columns - chunk * Panel.ChunkColumns);

    protected byte* Chunk(int panel, int chunk) => panels.Address + panel * panelBytes + (long)chunk * chunkBytes;

    /// <summary>Copies the sums of a panel, (columns, 16), to their places among the outputs, (columns, rows).</summary>
    protected void Store(float* sums, int panel, int columns, float* outputs)
    {
        var rows = Math.Min(Panel.Rows, Rows - panel * Panel.Rows);
        for (var column = 0; column < columns; column++)
        {
            new ReadOnlySpan<float>(sums + column * Panel.Rows, rows)
                .CopyTo(new Span<float>(outputs + (long)column * Rows + panel * Panel.Rows, rows));
        }
    }

    protected void Check(ReadOnlySpan<float> inputs, int count, Span<float> outputs)
    {
        if (count < 0 || inputs.Length != (long)count * Columns || outputs.Length != (long)count * Rows)
        {
            throw new ArgumentException(
                $"{count} vectors for a matrix of {Rows} × {Columns} take {(long)count * Columns} inputs and {(long)count * Rows} outputs, not {inputs.Length} and {outputs.Length}");
        }
    }

    protected void CheckRow(int row, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        if (values.Length != Columns)
            throw new ArgumentException($"a row has {Columns} values, not {values.Length}", nameof(values));
    }
}
