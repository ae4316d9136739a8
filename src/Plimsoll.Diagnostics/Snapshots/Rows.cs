namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>A table that grows by pages, so that growing never copies what is there.</summary>
internal sealed class Rows<T>
    where T : struct
{
    private const int PageRows = 1 << 14;

    private readonly List<T[]> _pages = [];

    public int Count { get; private set; }

    public ref readonly T this[int row] => ref _pages[row / PageRows][row % PageRows];

    /// <returns>The number of the row.</returns>
    public int Add(T row)
    {
        if (Count == _pages.Count * PageRows)
            _pages.Add(new T[PageRows]);
        _pages[Count / PageRows][Count % PageRows] = row;
        return Count++;
    }
}
