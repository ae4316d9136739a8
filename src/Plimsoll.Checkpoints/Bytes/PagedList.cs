namespace Plimsoll.Checkpoints.Bytes;

/// <summary>A list that grows by pages: growing never copies what is there, so that millions of items take their own size and no more.</summary>
public sealed class PagedList<T>
{
    private const int PageItems = 1 << 14;

    private readonly List<T[]> _pages = [];

    public int Count { get; private set; }

    public ref T this[int index] => ref _pages[index / PageItems][index % PageItems];

    /// <returns>The index of the item.</returns>
    public int Add(T item)
    {
        if (Count == _pages.Count * PageItems)
            _pages.Add(new T[PageItems]);
        _pages[Count / PageItems][Count % PageItems] = item;
        return Count++;
    }
}
