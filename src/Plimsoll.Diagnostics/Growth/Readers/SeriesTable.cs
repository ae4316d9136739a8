using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>Rows under named columns become series: by device and process, by ledger, with the ceiling of the total.</summary>
internal sealed class SeriesTable
{
    /// <summary>Values without a unit above this are bytes, below it MiB.</summary>
    private const double LargestUnitless = 4e6;

    private readonly ColumnName[] columns;
    private readonly string[] headers;
    private readonly int[] identity;
    private readonly int time;
    private readonly SeriesAxis axis;

    private SeriesTable(string[] headers, ColumnName[] columns)
    {
        (this.headers, this.columns) = (headers, columns);
        identity = [.. Enumerable.Range(0, columns.Length).Where(index => columns[index].Role == ColumnRole.Identity)];
        (time, axis) = First(ColumnRole.Time) is >= 0 and var seconds ? (seconds, SeriesAxis.Seconds)
            : First(ColumnRole.Tokens) is >= 0 and var tokens ? (tokens, SeriesAxis.Tokens)
            : (First(ColumnRole.Steps), SeriesAxis.Steps);
    }

    public bool HasMemory => Used.Any();

    public bool HasAxis => time >= 0;

    public int Width => columns.Length;

    private IEnumerable<int> Used => Enumerable.Range(0, columns.Length).Where(index => columns[index].Role == ColumnRole.Used);

    public static SeriesTable Create(string[] headers)
    {
        var columns = Array.ConvertAll(headers, ColumnName.Parse);
        if (!Array.Exists(columns, column => column is { Role: ColumnRole.Used, Ledger: MemoryLedger.Device }))
            columns = Array.ConvertAll(columns, column => column is { Role: ColumnRole.Kept, Ledger: MemoryLedger.Reserved } ? column with { Role = ColumnRole.Used } : column);
        return new(headers, columns);
    }

    /// <summary>A table without names: the column that varies most in size is memory, and one that never varies and is larger is the total.</summary>
    public static SeriesTable? Guess(IReadOnlyList<string[]> rows)
    {
        var width = rows[0].Length;
        var columns = new ColumnName[width];
        if (Moment.TryParse(rows[0][0], out _))
            columns[0] = new(ColumnRole.Time, default, null, "");
        var numbers = new List<(int Column, double Low, double High, bool HasUnit)>();
        for (var column = columns[0].Role == ColumnRole.Time ? 1 : 0; column < width; column++)
        {
            var values = new List<double>();
            var hasUnit = false;
            foreach (var row in rows)
            {
                if (!SizeUnit.TryParse(row[column], out var value, out var unit))
                    continue;
                values.Add(value);
                hasUnit |= unit is not null;
            }
            if (values.Count >= 0.5 * rows.Count)
                numbers.Add((column, values.Min(), values.Max(), hasUnit));
        }
        if (numbers.Exists(number => number.HasUnit))
            numbers.RemoveAll(number => !number.HasUnit);
        var varying = numbers.Where(number => number.High > number.Low).DefaultIfEmpty(numbers.MaxBy(number => number.High)).MaxBy(number => number.High);
        // Percentages and small counts are not memory.
        if (numbers.Count == 0 || (!varying.HasUnit && varying.High <= 100))
            return null;
        columns[varying.Column] = new(ColumnRole.Used, MemoryLedger.Device, null, "");
        foreach (var number in numbers.Where(number => number.Column != varying.Column && number.High == number.Low && number.High >= varying.High).Take(1))
            columns[number.Column] = new(ColumnRole.Total, MemoryLedger.Device, null, "");
        return new([.. Enumerable.Range(1, width).Select(column => $"column {column}")], columns);
    }

    /// <exception cref="SeriesFormatException">The memory is not available in any row.</exception>
    public ImmutableArray<MemorySeries> Build(IReadOnlyList<string[]> rows)
    {
        var builder = new SeriesBuilder(axis);
        var at = Positions(rows);
        var keys = rows.Select(row => string.Join(' ', identity.Select(column => Label(headers[column], row[column])))).ToArray();
        var lanes = Lanes(keys, at);
        var any = false;
        foreach (var used in Used)
        {
            var column = columns[used];
            var unitless = rows.Select(row => SizeUnit.TryParse(row[used], out var value, out _) ? value : 0).DefaultIfEmpty().Max() > LargestUnitless ? 1 : Numerics.ByteSize.MiB;
            for (var row = 0; row < rows.Count; row++)
            {
                var source = Words(keys[row], lanes[row] is { } lane ? $"row {lane + 1} of each sample" : "", column.Device);
                if (Bytes(rows[row], used, unitless) is not { } bytes)
                    continue;
                any = true;
                source = source.Length == 0 ? "memory" : source;
                builder.Add(source, Words(source, column.Ledger is MemoryLedger.Device ? "" : column.Ledger.ToString().ToLowerInvariant()), column.Ledger, at[row], bytes);
                if (Find(rows[row], ColumnRole.Total, column.Device, unitless) is { } total)
                    builder.SetTotal(source, total);
                else if (column.Ledger == MemoryLedger.Device && Find(rows[row], ColumnRole.Free, column.Device, unitless) is { } free)
                    builder.SetTotal(source, bytes + free);
                if (Find(rows[row], ColumnRole.Kept, column.Device, unitless) is { } kept)
                    builder.SetKept(source, kept);
            }
        }
        if (!any)
            throw new SeriesFormatException($"{string.Join(", ", Used.Select(column => headers[column].Trim()))}: no row has a number (the first is '{rows[0][Used.First()].Trim()}'); GPUs with unified memory do not report it");
        return builder.Build();
    }

    private double[] Positions(IReadOnlyList<string[]> rows)
    {
        var at = new double[rows.Count];
        for (var row = 0; row < rows.Count; row++)
        {
            if (time < 0 || !Moment.TryParse(rows[row][time], out at[row]))
                at[row] = time < 0 || row == 0 ? row : at[row - 1];
        }
        return at;
    }

    /// <summary>Rows of several devices that nothing names: equal numbers of rows follow each other at once, then there is a pause.</summary>
    private int?[] Lanes(string[] keys, double[] at)
    {
        var lanes = new int?[keys.Length];
        if (axis != SeriesAxis.Seconds)
            return lanes;
        foreach (var rows in Enumerable.Range(0, keys.Length).GroupBy(row => keys[row]).Select(group => group.ToList()).Where(rows => rows.Count > 3))
        {
            var gaps = rows.Zip(rows.Skip(1), (row, next) => at[next] - at[row]).ToList();
            var pause = gaps.Max() is var longest && longest > 0 ? gaps.Order().ElementAt((int)(0.95 * (gaps.Count - 1))) / 4 : 0;
            var groups = new List<int> { 1 };
            foreach (var gap in gaps)
            {
                if (gap > pause)
                    groups.Add(1);
                else
                    groups[^1]++;
            }
            var size = groups[0];
            if (size < 2 || groups.SkipLast(1).Count(count => count == size) < 0.9 * (groups.Count - 1))
                continue;
            var position = 0;
            for (var index = 0; index < rows.Count; index++)
            {
                position = index > 0 && gaps[index - 1] > pause ? 0 : index == 0 ? 0 : position + 1;
                lanes[rows[index]] = Math.Min(position, size - 1);
            }
        }
        return lanes;
    }

    private double? Find(string[] row, ColumnRole role, string device, double unitless)
    {
        var column = Array.FindIndex(columns, column => column.Role == role && column.Device == device);
        return column < 0 ? null : Bytes(row, column, unitless);
    }

    private double? Bytes(string[] row, int column, double unitless)
    {
        if (!SizeUnit.TryParse(row[column], out var value, out var unit))
            return null;
        var stated = First(ColumnRole.Unit) is >= 0 and var units ? SizeUnit.Bytes(row[units]) : null;
        return value * (unit ?? stated ?? columns[column].Unit ?? unitless);
    }

    private int First(ColumnRole role) => Array.FindIndex(columns, column => column.Role == role);

    private static string Label(string header, string cell) => header.Trim().ToLowerInvariant() switch
    {
        "index" or "gpu" or "gpu_index" or "gpu_id" => $"GPU {cell.Trim()}",
        "pid" => $"pid {cell.Trim()}",
        "rank" => $"rank {cell.Trim()}",
        _ => cell.Trim(),
    };

    private static string Words(params ReadOnlySpan<string> words)
    {
        var text = "";
        foreach (var word in words)
            text = text.Length > 0 && word.Length > 0 ? $"{text} {word}" : text + word;
        return text;
    }
}
