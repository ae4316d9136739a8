namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>The input is a table over time, but no memory can be read from it.</summary>
public sealed class SeriesFormatException(string message) : Exception(message);
