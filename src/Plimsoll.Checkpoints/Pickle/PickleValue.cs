using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;

namespace Plimsoll.Checkpoints.Pickle;

/// <summary>What a <see cref="PickleValue"/> is.</summary>
public enum PickleKind
{
    None,
    Boolean,
    Integer,
    BigInteger,
    Float,
    Text,
    Bytes,
    List,
    Tuple,
    Set,
    Dictionary,

    /// <summary>A Python name, as a label.</summary>
    Global,

    /// <summary>What Python would make by calling a name with arguments; here only the description of that call.</summary>
    Call,

    /// <summary>A reference to something outside the pickle: torch's storages.</summary>
    Persistent,
}

/// <summary>One value of a pickle. Numbers live in the struct itself, everything else is a reference; shared objects stay shared.</summary>
public readonly struct PickleValue
{
    private static readonly object BooleanTag = new();
    private static readonly object IntegerTag = new();
    private static readonly object FloatTag = new();

    // null: None. A tag: the value is in _bits. Otherwise the value itself.
    private readonly object? _content;
    private readonly long _bits;

    private PickleValue(object? content, long bits = 0)
    {
        _content = content;
        _bits = bits;
    }

    public static PickleValue None => default;

    public PickleKind Kind => _content switch
    {
        null => PickleKind.None,
        string => PickleKind.Text,
        PickleSequence sequence => sequence.Kind,
        PickleDictionary => PickleKind.Dictionary,
        PickleCall => PickleKind.Call,
        PickleGlobal => PickleKind.Global,
        PicklePersistent => PickleKind.Persistent,
        byte[] => PickleKind.Bytes,
        System.Numerics.BigInteger => PickleKind.BigInteger,
        var tag => ReferenceEquals(tag, IntegerTag) ? PickleKind.Integer : ReferenceEquals(tag, FloatTag) ? PickleKind.Float : PickleKind.Boolean,
    };

    public bool IsNone => _content is null;

    /// <summary>The truth value; null when this is no boolean.</summary>
    public bool? Boolean => ReferenceEquals(_content, BooleanTag) ? _bits != 0 : null;

    /// <summary>The integer; null when this is none, or one that does not fit 64 signed bits.</summary>
    public long? Integer => ReferenceEquals(_content, IntegerTag) ? _bits : null;

    /// <summary>The integer of any size, for addresses of 2^63 and more; null when this is none.</summary>
    public BigInteger? BigInteger => _content is BigInteger big ? big : Integer;

    /// <summary>The floating-point number; null when this is none. Integers do not count.</summary>
    public double? Float => ReferenceEquals(_content, FloatTag) ? BitConverter.Int64BitsToDouble(_bits) : null;

    /// <summary>The string; null when this is none. Python 2 byte strings count.</summary>
    public string? Text => _content as string;

    public byte[]? Bytes => _content as byte[];

    /// <summary>The items of a list, tuple or set; null when this is none of them.</summary>
    public IReadOnlyList<PickleValue>? Items => (_content as PickleSequence)?.Items;

    public PickleDictionary? Dictionary => _content as PickleDictionary;

    public PickleGlobal? Global => _content as PickleGlobal;

    public PickleCall? Call => _content as PickleCall;

    /// <summary>The identifier of something outside the pickle; null when this is no such reference.</summary>
    public PickleValue? PersistentId => (_content as PicklePersistent)?.Id;

    /// <summary>The object behind the value, equal for shared objects; null for scalars. For walks that must not visit an object twice.</summary>
    public object? Identity => _content is PickleSequence or PickleDictionary or PickleCall or PicklePersistent ? _content : null;

    internal PickleSequence? Sequence => _content as PickleSequence;

    public static PickleValue From(bool value) => new(BooleanTag, value ? 1 : 0);

    public static PickleValue From(long value) => new(IntegerTag, value);

    public static PickleValue From(double value) => new(FloatTag, BitConverter.DoubleToInt64Bits(value));

    public static PickleValue From(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? From((long)value) : new(value);

    public static PickleValue From(string value) => new(value);

    internal static PickleValue From(byte[] value) => new(value);

    internal static PickleValue From(PickleSequence value) => new(value);

    internal static PickleValue From(PickleDictionary value) => new(value);

    internal static PickleValue From(PickleGlobal value) => new(value);

    internal static PickleValue From(PickleCall value) => new(value);

    internal static PickleValue From(PicklePersistent value) => new(value);

    /// <summary>A short description for messages; containers are not expanded.</summary>
    public override string ToString() => Kind switch
    {
        PickleKind.None => "None",
        PickleKind.Boolean => _bits != 0 ? "True" : "False",
        PickleKind.Integer => _bits.ToString(CultureInfo.InvariantCulture),
        PickleKind.BigInteger => ((BigInteger)_content!).ToString(CultureInfo.InvariantCulture),
        PickleKind.Float => Float!.Value.ToString(CultureInfo.InvariantCulture),
        PickleKind.Text => Text is { Length: > 60 } text ? $"'{text[..60]}…'" : $"'{Text}'",
        PickleKind.Bytes => $"{Bytes!.Length} bytes",
        PickleKind.Dictionary => $"a dictionary of {Dictionary!.Count}",
        PickleKind.Global => Global!.ToString(),
        PickleKind.Call => $"a call of {Call!.Callable}",
        PickleKind.Persistent => "a persistent id",
        var kind => $"a {kind.ToString().ToLowerInvariant()} of {Items!.Count}",
    };
}

/// <summary>A list, tuple or set.</summary>
internal sealed class PickleSequence(PickleKind kind)
{
    private List<PickleValue>? _items;

    public PickleKind Kind { get; } = kind;

    public IReadOnlyList<PickleValue> Items => _items is null ? [] : _items;

    public void Add(ReadOnlySpan<PickleValue> values)
    {
        if (!values.IsEmpty)
            (_items ??= new(values.Length)).AddRange(values);
    }
}

/// <summary>A dictionary: pairs in the order in which they were stored.</summary>
public sealed class PickleDictionary
{
    /// <summary>Up to here a look through the pairs is faster than an index.</summary>
    private const int IndexFrom = 16;

    private List<KeyValuePair<PickleValue, PickleValue>>? _entries;
    private Dictionary<string, int>? _index;

    internal PickleDictionary()
    {
    }

    public int Count => _entries?.Count ?? 0;

    public IReadOnlyList<KeyValuePair<PickleValue, PickleValue>> Entries => _entries is null ? [] : _entries;

    /// <summary>The value of a string key; None when it is absent. Of two equal keys the later one counts, as in Python.</summary>
    public PickleValue this[string key] => TryGet(key, out var value) ? value : PickleValue.None;

    public bool TryGet(string key, [MaybeNullWhen(false)] out PickleValue value)
    {
        var at = Count < IndexFrom ? _entries?.FindLastIndex(entry => entry.Key.Text == key) ?? -1 : Index().GetValueOrDefault(key, -1);
        value = at < 0 ? default : _entries![at].Value;
        return at >= 0;
    }

    internal void Add(PickleValue key, PickleValue value)
    {
        (_entries ??= []).Add(new(key, value));
        _index = null;
    }

    private Dictionary<string, int> Index()
    {
        if (_index is not null)
            return _index;
        _index = new(Count, StringComparer.Ordinal);
        for (var at = 0; at < Count; at++)
        {
            if (_entries![at].Key.Text is { } text)
                _index[text] = at;
        }
        return _index;
    }
}

/// <summary>A Python name that a pickle mentions.</summary>
public sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>The description of a call that Python would make while loading. Nobody makes it here.</summary>
public sealed class PickleCall
{
    internal PickleCall(PickleGlobal callable, PickleValue arguments)
    {
        Callable = callable;
        Arguments = arguments;
    }

    public PickleGlobal Callable { get; }

    /// <summary>The argument tuple.</summary>
    public PickleValue Arguments { get; }

    /// <summary>What a BUILD opcode attaches afterwards.</summary>
    public PickleValue State { get; internal set; }
}

internal sealed class PicklePersistent(PickleValue id)
{
    public PickleValue Id { get; } = id;
}
