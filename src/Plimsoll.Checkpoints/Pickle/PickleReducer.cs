using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Pickle;

/// <summary>Reads a Python pickle of plain values from front to back and keeps only what its builder makes of them, so that files of a gigabyte need little memory.</summary>
/// <remarks>
/// Unlike <see cref="PickleReader"/> it accepts no names at all: whatever would import, call or refer to something outside is refused by name.
/// A container is complete when another one takes it up; a pickle that adds to it afterwards, as only cyclic values need, is refused.
/// </remarks>
public sealed class PickleReducer<T>
{
    /// <summary>128 bits: addresses of 64 bits take nine bytes, because pickle integers are signed.</summary>
    private const int MaxIntegerBytes = 16;

    private readonly ByteCursor _cursor;
    private readonly IValueBuilder<T> _builder;
    private readonly PickleLimits _limits;
    private readonly List<int> _marks = [];
    // A container's number, or the complement of that of a scalar: most of what is stored are containers, and there are millions.
    private readonly PagedList<int> _memo = new();
    private readonly PagedList<T> _scalars = new();
    private readonly Stack<List<T>> _spare = [];
    private readonly PagedList<List<T>?> _open = new();
    private readonly PagedList<T?> _finished = new();
    private readonly PagedList<bool> _isDictionary = new();
    private Slot[] _stack = new Slot[64];
    private T[] _items = new T[64];
    private int _count;
    private long _opcodeAt;
    private long _values;

    private PickleReducer(ByteCursor cursor, IValueBuilder<T> builder, PickleLimits limits) => (_cursor, _builder, _limits) = (cursor, builder, limits);

    /// <summary>A value, or the number of a container that may not be complete yet; -1 for none.</summary>
    private readonly record struct Slot(T? Value, int Container);

    /// <summary>Reduces the first pickle of a file.</summary>
    /// <exception cref="CheckpointFormatException">The file is no pickle of plain values, or exceeds a limit.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static T ReduceFile(string path, IValueBuilder<T> builder, PickleLimits limits)
    {
        using var source = new FileByteSource(path);
        return new PickleReducer<T>(new ByteCursor(source), builder, limits).Run();
    }

    private T Run()
    {
        while (true)
        {
            _opcodeAt = _cursor.Position;
            var opcode = (PickleOpcode)_cursor.ReadByte("pickle opcode");
            if (opcode == PickleOpcode.Stop)
                return Finish(Pop());
            if (!Scalar(opcode) && !TextScalar(opcode) && !Structure(opcode) && !Memo(opcode))
                throw Bad("a pickle of plain values", Refusal(opcode));
        }
    }

    private static string Refusal(PickleOpcode opcode) => opcode switch
    {
        PickleOpcode.Global or PickleOpcode.StackGlobal or PickleOpcode.Instance => $"{opcode}, which names something to import and could run any code",
        PickleOpcode.Reduce or PickleOpcode.Object or PickleOpcode.NewObject or PickleOpcode.NewObjectWithKeywords or PickleOpcode.Build => $"{opcode}, which calls a function",
        _ when Enum.IsDefined(opcode) => $"{opcode}, which plain values do not need",
        _ => $"the byte 0x{(byte)opcode:X2}, which is no opcode",
    };

    private bool Scalar(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.None: Push(_builder.None()); break;
            case PickleOpcode.NewTrue: Push(_builder.Boolean(true)); break;
            case PickleOpcode.NewFalse: Push(_builder.Boolean(false)); break;
            case PickleOpcode.BinInt: Push(_builder.Integer((int)_cursor.ReadUInt32("integer"))); break;
            case PickleOpcode.BinInt1: Push(_builder.Integer(_cursor.ReadByte("integer"))); break;
            case PickleOpcode.BinInt2: Push(_builder.Integer(_cursor.ReadUInt16("integer"))); break;
            case PickleOpcode.Long1: PushLong(_cursor.ReadByte("integer length")); break;
            case PickleOpcode.Long4: PushLong(_cursor.ReadUInt32("integer length")); break;
            case PickleOpcode.BinFloat: Push(_builder.Number(BinaryPrimitives.ReadDoubleBigEndian(_cursor.Take(8, "number")))); break;
            case PickleOpcode.ShortBinUnicode or PickleOpcode.ShortBinString or PickleOpcode.ShortBinBytes: PushText(_cursor.ReadByte("string length")); break;
            case PickleOpcode.BinUnicode or PickleOpcode.BinString or PickleOpcode.BinBytes: PushText(_cursor.ReadUInt32("string length")); break;
            case PickleOpcode.BinUnicode8 or PickleOpcode.BinBytes8: PushText(_cursor.ReadUInt64("string length")); break;
            default: return false;
        }
        return true;
    }

    /// <summary>The scalars of protocol 0.</summary>
    private bool TextScalar(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Int or PickleOpcode.Long: PushDecimal(_cursor.TakeLine("integer"), opcode == PickleOpcode.Int); break;
            case PickleOpcode.Float: PushFloat(_cursor.TakeLine("number")); break;
            case PickleOpcode.Unicode: PushText(PickleText.RawUnicodeEscape(_cursor.TakeLine("string"))); break;
            case PickleOpcode.String: PushText(PickleText.Quoted(_cursor.TakeLine("string")) ?? throw Bad("a quoted string", "other text")); break;
            default: return false;
        }
        return true;
    }

    private bool Structure(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Mark: PushMark(); break;
            case PickleOpcode.EmptyList or PickleOpcode.EmptyTuple: PushContainer(isDictionary: false, _count); break;
            case PickleOpcode.EmptyDict: PushContainer(isDictionary: true, _count); break;
            case PickleOpcode.Tuple1: PushContainer(isDictionary: false, Below(1)); break;
            case PickleOpcode.Tuple2: PushContainer(isDictionary: false, Below(2)); break;
            case PickleOpcode.Tuple3: PushContainer(isDictionary: false, Below(3)); break;
            case PickleOpcode.Tuple or PickleOpcode.List: PushContainer(isDictionary: false, PopMark()); break;
            case PickleOpcode.Dict: PushContainer(isDictionary: true, PopMark()); break;
            case PickleOpcode.Append: AddTo(isDictionary: false, Below(1)); break;
            case PickleOpcode.Appends: AddTo(isDictionary: false, PopMark()); break;
            case PickleOpcode.SetItem: AddTo(isDictionary: true, Below(2)); break;
            case PickleOpcode.SetItems: AddTo(isDictionary: true, PopMark()); break;
            case PickleOpcode.Pop: Pop(); break;
            case PickleOpcode.PopMark: _count = PopMark(); break;
            case PickleOpcode.Dup: Push(Peek()); break;
            default: return false;
        }
        return true;
    }

    private bool Memo(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Protocol: CheckProtocol(_cursor.ReadByte("protocol")); break;
            case PickleOpcode.Frame: _cursor.ReadUInt64("frame length"); break;
            case PickleOpcode.Memoize: Put((uint)_memo.Count); break;
            case PickleOpcode.BinPut: Put(_cursor.ReadByte("memo index")); break;
            case PickleOpcode.LongBinPut: Put(_cursor.ReadUInt32("memo index")); break;
            case PickleOpcode.Put: Put(MemoIndex()); break;
            case PickleOpcode.BinGet: Get(_cursor.ReadByte("memo index")); break;
            case PickleOpcode.LongBinGet: Get(_cursor.ReadUInt32("memo index")); break;
            case PickleOpcode.Get: Get(MemoIndex()); break;
            default: return false;
        }
        return true;
    }

    private void CheckProtocol(byte protocol)
    {
        if (protocol > 5)
            throw Bad("pickle protocol 0 to 5", $"{protocol}");
    }

    private uint MemoIndex() =>
        uint.TryParse(_cursor.TakeLine("memo index"), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : throw Bad("a memo index", "other text");

    /// <summary>Python's picklers count up, so an index ahead of the count is no writer's</summary>
    private void Put(uint index)
    {
        Count();
        if (index > _memo.Count)
            throw Bad($"a memo index of at most {_memo.Count:N0}", $"{index:N0}");
        var slot = Peek();
        var number = slot.Container >= 0 ? slot.Container : ~_scalars.Add(slot.Value!);
        if (index == _memo.Count)
            _memo.Add(number);
        else
            _memo[(int)index] = number;
    }

    private void Get(uint index)
    {
        var number = index < _memo.Count ? _memo[(int)index] : throw Bad("a memo index that was stored before", $"{index:N0}");
        Push(number >= 0 ? new Slot(default, number) : new Slot(_scalars[~number], -1));
    }

    private void PushLong(uint bytes)
    {
        if (bytes > MaxIntegerBytes)
            throw Bad($"an integer of at most {MaxIntegerBytes} bytes", $"{bytes:N0} bytes");
        Span<byte> extended = stackalloc byte[MaxIntegerBytes];
        var stored = _cursor.Take((int)bytes, "integer");
        // Two's complement, little-endian: the sign goes on.
        extended.Fill(stored is [.., >= 0x80] ? (byte)0xff : (byte)0);
        stored.CopyTo(extended);
        Push(_builder.Integer(BinaryPrimitives.ReadInt128LittleEndian(extended)));
    }

    private void PushDecimal(ReadOnlySpan<byte> line, bool isInt)
    {
        if (isInt && line is [(byte)'0', (byte)'0' or (byte)'1'])
            Push(_builder.Boolean(line[1] == (byte)'1'));
        else if (Int128.TryParse(line is [.. var digits, (byte)'L'] ? digits : line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            Push(_builder.Integer(value));
        else
            throw Bad("a decimal integer of at most 128 bits", "other text");
    }

    private void PushFloat(ReadOnlySpan<byte> line) => Push(_builder.Number(
        line.SequenceEqual("inf"u8) ? double.PositiveInfinity
        : line.SequenceEqual("-inf"u8) ? double.NegativeInfinity
        : line.SequenceEqual("nan"u8) ? double.NaN
        : double.TryParse(line, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : throw Bad("a decimal number", "other text")));

    private void PushText(ulong bytes)
    {
        if (bytes > (ulong)_limits.MaxTextBytes)
            throw Bad($"a string of at most {_limits.MaxTextBytes:N0} bytes", $"{bytes:N0} bytes");
        Push(_builder.Text(_cursor.Take((int)bytes, "string")));
    }

    private void PushText(string text) => Push(_builder.Text(Encoding.UTF8.GetBytes(text)));

    /// <summary>A new container of what lies on the stack from <paramref name="start"/> on.</summary>
    private void PushContainer(bool isDictionary, int start)
    {
        var container = _open.Count;
        _open.Add(_spare.TryPop(out var spare) ? spare : []);
        _finished.Add(default);
        _isDictionary.Add(isDictionary);
        Absorb(container, start);
        Push(new Slot(default, container));
    }

    private void AddTo(bool isDictionary, int start)
    {
        var target = start > Floor ? _stack[start - 1].Container : -1;
        if (target < 0 || _isDictionary[target] != isDictionary)
            throw Bad($"a {(isDictionary ? "dictionary" : "list")} to add to", "none");
        Absorb(target, start);
    }

    private void Absorb(int container, int start)
    {
        if (_isDictionary[container] && (_count - start) % 2 != 0)
            throw Bad("a value for every key", $"{_count - start:N0} items");
        for (var i = start; i < _count; i++)
        {
            var item = Finish(_stack[i]);
            (_open[container] ?? throw Bad("a container that is still being filled", "one that was complete")).Add(item);
        }
        _count = start;
    }

    /// <summary>The value of a slot; a container is complete from now on.</summary>
    private T Finish(Slot slot)
    {
        if (slot.Container < 0)
            return slot.Value!;
        if (_open[slot.Container] is not { } items)
            return _finished[slot.Container]!;
        _open[slot.Container] = null;
        if (_items.Length < items.Count)
            _items = new T[items.Count * 2];
        items.CopyTo(_items);
        var span = _items.AsSpan(0, items.Count);
        var value = _isDictionary[slot.Container] ? _builder.Dictionary(span) : _builder.Sequence(span);
        _finished[slot.Container] = value;
        Recycle(items);
        return value;
    }

    /// <summary>Small lists are used again: nearly all containers of a file are small and short-lived.</summary>
    private void Recycle(List<T> items)
    {
        const int KeptCapacity = 64;
        if (items.Capacity > KeptCapacity || _spare.Count == KeptCapacity)
            return;
        items.Clear();
        _spare.Push(items);
    }

    private void Push(T value) => Push(new Slot(value, -1));

    private void Push(Slot slot)
    {
        Count();
        if (_count == _stack.Length)
            Array.Resize(ref _stack, _count * 2);
        _stack[_count++] = slot;
    }

    private void Count()
    {
        if (++_values > _limits.MaxValues)
            throw Bad($"a pickle of at most {_limits.MaxValues:N0} values", "more");
    }

    private void PushMark()
    {
        if (_marks.Count == _limits.MaxDepth)
            throw Bad($"values nested at most {_limits.MaxDepth:N0} deep", "more");
        _marks.Add(_count);
    }

    private int PopMark()
    {
        if (_marks.Count == 0)
            throw Bad("a mark on the stack", "none");
        var start = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return start;
    }

    private int Floor => _marks.Count == 0 ? 0 : _marks[^1];

    /// <summary>Where the topmost values begin.</summary>
    private int Below(int count) => _count - Floor >= count ? _count - count : throw Bad($"{count} values on the stack", $"{_count - Floor}");

    private Slot Peek() => _stack[Below(1)];

    private Slot Pop()
    {
        var slot = Peek();
        _count--;
        return slot;
    }

    private CheckpointFormatException Bad(string expected, string found) => _cursor.Bad(expected, found, _opcodeAt);
}
