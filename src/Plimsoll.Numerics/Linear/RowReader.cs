namespace Plimsoll.Numerics.Linear;

/// <summary>Fills <paramref name="bytes"/> with stored rows, from <paramref name="firstRow"/> on: a whole number of rows, as they lie in a file.</summary>
public delegate void RowReader(int firstRow, Span<byte> bytes);
