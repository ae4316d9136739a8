namespace Plimsoll.Checkpoints.Pickle;

/// <summary>The numbered values of a pickle. Writers count up, so a list holds nearly all; an index far ahead must not make it grow.</summary>
internal sealed class PickleMemo
{
    private readonly List<PickleValue> _dense = [];
    private Dictionary<uint, PickleValue>? _sparse;

    /// <summary>The index that MEMOIZE gives to the next value.</summary>
    public uint Count => (uint)(_dense.Count + (_sparse?.Count ?? 0));

    public void Put(uint index, PickleValue value)
    {
        if (index < _dense.Count)
            _dense[(int)index] = value;
        else if (index == _dense.Count)
            _dense.Add(value);
        else
            (_sparse ??= [])[index] = value;
    }

    public bool TryGet(uint index, out PickleValue value)
    {
        // A later Put may have filled the list up to an index that went to the dictionary first; the list's is the newer one.
        if (index < _dense.Count)
        {
            value = _dense[(int)index];
            return true;
        }
        value = default;
        return _sparse is not null && _sparse.TryGetValue(index, out value);
    }
}
