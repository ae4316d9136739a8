using Plimsoll.Numerics.Linear.MachineCode;

namespace Plimsoll.Numerics.Linear.Floats;

/// <summary>A number format whose panels are unpacked to floats before they are multiplied.</summary>
internal abstract unsafe class FloatPanels(NumberFormat format)
{
    public NumberFormat Format { get; } = format;

    /// <summary>Bytes of a chunk of 16 rows × <paramref name="columns"/>.</summary>
    public int ChunkBytes(int columns) => checked((int)(Panel.Rows * Format.BytesFor(columns)));

    /// <summary>The product of one column straight from a chunk (<see cref="FloatProgram"/>); null where there is none.</summary>
    public virtual void* DirectProduct => null;

    /// <summary>Takes a chunk of 16 rows from their stored layout.</summary>
    /// <param name="rows">The stored bytes of the chunk's columns in the first row; the others follow at <paramref name="stride"/> bytes.</param>
    public abstract void Pack(byte* rows, long stride, int columns, byte* chunk);

    /// <summary>Unpacks a chunk.</summary>
    /// <param name="tile">Receives (columns, 16).</param>
    public abstract void Unpack(byte* chunk, int columns, float* tile);
}
