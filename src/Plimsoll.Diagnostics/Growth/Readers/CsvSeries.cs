using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>Tables of nvidia-smi, nvitop, Weights &amp; Biases and one's own: with or without a header, with it repeated, with prose around.</summary>
internal static class CsvSeries
{
    private const int FewestRows = 3;

    public static ImmutableArray<MemorySeries> Read(string text)
    {
        SeriesTable? table = null;
        string[]? headers = null;
        var rows = new List<string[]>();
        var nameless = new List<string[]>();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.IsWhiteSpace())
                continue;
            var cells = Split(line.ToString(), table?.Width);
            if (cells.Length < 2)
                continue;
            var names = SeriesTable.Create(cells);
            if (names.HasMemory || (names.HasAxis && headers is null && !IsData(cells)))
            {
                if (table is null || (names.HasMemory && !table.HasMemory))
                    (table, headers) = (names, cells);
            }
            else if (table?.Width == cells.Length)
            {
                rows.Add(cells);
            }
            else if (table is null && IsData(cells))
            {
                nameless.Add(cells);
            }
        }
        if (table is { HasMemory: true } && rows.Count > 0)
            return table.Build(rows);
        if (table is not null && rows.Count >= FewestRows)
            throw new SeriesFormatException($"no memory column among {string.Join(", ", headers!.Select(header => header.Trim()))}");
        if (nameless.Count < FewestRows)
            return [];
        var width = nameless.GroupBy(cells => cells.Length).MaxBy(group => group.Count())!.Key;
        nameless.RemoveAll(cells => cells.Length != width);
        return nameless.Count >= FewestRows && SeriesTable.Guess(nameless) is { } guessed ? guessed.Build(nameless) : [];
    }

    /// <summary>nvidia-smi separates by comma and blank, so that decimal commas of other languages stay whole; where that does not give the columns of the header, every comma separates.</summary>
    private static string[] Split(string line, int? width)
    {
        if (line.Contains(';'))
            return line.Split(';');
        if (line.Contains('\t'))
            return line.Split('\t');
        if (line.Contains('"'))
            return SplitQuoted(line);
        var cells = line.Split(", ");
        return cells.Length == 1 || (width is { } columns && columns != cells.Length) ? line.Split(',') : cells;
    }

    private static string[] SplitQuoted(string line)
    {
        var cells = new List<string>();
        var (start, quoted) = (0, false);
        for (var index = 0; index < line.Length; index++)
        {
            if (line[index] == '"')
                quoted = !quoted;
            if (line[index] != ',' || quoted)
                continue;
            cells.Add(line[start..index]);
            start = index + 1;
        }
        cells.Add(line[start..]);
        return [.. cells];
    }

    /// <summary>A row begins with a moment or a number and has another number.</summary>
    private static bool IsData(string[] cells) => Moment.TryParse(cells[0], out _) && cells.Skip(1).Any(cell => SizeUnit.TryParse(cell, out _, out _));
}
