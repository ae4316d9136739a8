using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Plimsoll.Checkpoints.Bytes;

namespace Plimsoll.Checkpoints.Pickle;

/// <summary>Reads a Python pickle of any protocol into plain values. It cannot run anything: names are labels, and calls are descriptions of calls.</summary>
/// <remarks>A machine with a stack and a memo as in CPython's Lib/pickle.py, without recursion, so that nesting cannot exhaust the thread's stack.</remarks>
public sealed class PickleReader
{
    private readonly ByteCursor _cursor;
    private readonly PickleGlobals _globals;
    private readonly PickleLimits _limits;
    private readonly PickleMemo _memo = new();
    private readonly List<int> _marks = [];
    // Not a List: what was popped stays readable until something is pushed over it.
    private PickleValue[] _stack = new PickleValue[64];
    private int _stackCount;
    private long _opcodeAt;
    private long _values;

    private PickleReader(ByteCursor cursor, PickleGlobals globals, PickleLimits limits)
    {
        _cursor = cursor;
        _globals = globals;
        _limits = limits;
    }

    /// <summary>Reads the first pickle of a file.</summary>
    /// <param name="globals">The Python names it may mention.</param>
    /// <exception cref="CheckpointFormatException">The file is no pickle, mentions another name, or exceeds a limit.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PickleValue ReadFile(string path, PickleGlobals globals, PickleLimits limits)
    {
        using var source = new FileByteSource(path);
        return Read(new ByteCursor(source), globals, limits);
    }

    /// <summary>Reads the first pickle of a buffer.</summary>
    /// <exception cref="CheckpointFormatException">The buffer holds no pickle, or it mentions another name or exceeds a limit.</exception>
    public static PickleValue Read(string path, ReadOnlyMemory<byte> bytes, PickleGlobals globals, PickleLimits limits)
    {
        using var source = new PrefixByteSource(path, bytes, bytes.Length);
        return Read(new ByteCursor(source), globals, limits);
    }

    /// <summary>Reads one pickle and leaves the cursor behind it: torch's old format writes several in a row.</summary>
    internal static PickleValue Read(ByteCursor cursor, PickleGlobals globals, PickleLimits limits) => new PickleReader(cursor, globals, limits).Run();

    private PickleValue Run()
    {
        while (true)
        {
            _opcodeAt = _cursor.Position;
            var opcode = (PickleOpcode)_cursor.ReadByte("pickle opcode");
            if (opcode == PickleOpcode.Stop)
                return Pop();
            if (!Scalar(opcode) && !Structure(opcode) && !Memo(opcode) && !Naming(opcode))
                throw Bad("a pickle opcode of protocols 0 to 5", $"the byte 0x{(byte)opcode:X2}");
        }
    }

    private bool Scalar(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.None: Push(PickleValue.None); break;
            case PickleOpcode.NewTrue: Push(PickleValue.From(true)); break;
            case PickleOpcode.NewFalse: Push(PickleValue.From(false)); break;
            case PickleOpcode.BinInt: Push(PickleValue.From((int)_cursor.ReadUInt32("integer"))); break;
            case PickleOpcode.BinInt1: Push(PickleValue.From((long)_cursor.ReadByte("integer"))); break;
            case PickleOpcode.BinInt2: Push(PickleValue.From((long)_cursor.ReadUInt16("integer"))); break;
            case PickleOpcode.Long1: Push(ReadLong(_cursor.ReadByte("integer length"))); break;
            case PickleOpcode.Long4: Push(ReadLong(_cursor.ReadUInt32("integer length"))); break;
            // The only big-endian field of the format.
            case PickleOpcode.BinFloat: Push(PickleValue.From(BinaryPrimitives.ReadDoubleBigEndian(_cursor.Take(8, "number")))); break;
            case PickleOpcode.ShortBinUnicode or PickleOpcode.ShortBinString: Push(ReadText(_cursor.ReadByte("string length"))); break;
            case PickleOpcode.BinUnicode or PickleOpcode.BinString: Push(ReadText(_cursor.ReadUInt32("string length"))); break;
            case PickleOpcode.BinUnicode8: Push(ReadText(_cursor.ReadUInt64("string length"))); break;
            case PickleOpcode.ShortBinBytes: Push(ReadBytes(_cursor.ReadByte("length"))); break;
            case PickleOpcode.BinBytes: Push(ReadBytes(_cursor.ReadUInt32("length"))); break;
            case PickleOpcode.BinBytes8 or PickleOpcode.ByteArray8: Push(ReadBytes(_cursor.ReadUInt64("length"))); break;
            case PickleOpcode.Int: Push(PickleText.Integer(Line(), isInt: true) ?? throw Bad("a decimal integer", "other text")); break;
            case PickleOpcode.Long: Push(PickleText.Integer(Line(), isInt: false) ?? throw Bad("a decimal integer", "other text")); break;
            case PickleOpcode.Float: Push(PickleText.Float(Line()) ?? throw Bad("a decimal number", "other text")); break;
            case PickleOpcode.Unicode: Push(PickleValue.From(PickleText.RawUnicodeEscape(Line()))); break;
            case PickleOpcode.String: Push(PickleValue.From(PickleText.Quoted(Line()) ?? throw Bad("a quoted string", "other text"))); break;
            default: return false;
        }
        return true;
    }

    private bool Structure(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Mark: PushMark(); break;
            case PickleOpcode.Pop: PopValueOrMark(); break;
            case PickleOpcode.PopMark: PopToMark(); break;
            case PickleOpcode.Dup: Push(Peek()); break;
            case PickleOpcode.EmptyList: Push(NewSequence(PickleKind.List, [])); break;
            case PickleOpcode.EmptyTuple: Push(NewSequence(PickleKind.Tuple, [])); break;
            case PickleOpcode.EmptySet: Push(NewSequence(PickleKind.Set, [])); break;
            case PickleOpcode.EmptyDict: Push(NewDictionary([])); break;
            case PickleOpcode.Tuple1: PushTuple(1); break;
            case PickleOpcode.Tuple2: PushTuple(2); break;
            case PickleOpcode.Tuple3: PushTuple(3); break;
            case PickleOpcode.Tuple: Push(NewSequence(PickleKind.Tuple, PopToMark())); break;
            case PickleOpcode.List: Push(NewSequence(PickleKind.List, PopToMark())); break;
            case PickleOpcode.FrozenSet: Push(NewSequence(PickleKind.Set, PopToMark())); break;
            case PickleOpcode.Dict: Push(NewDictionary(PopToMark())); break;
            case PickleOpcode.Append: AddTo(PickleKind.List, [Pop()]); break;
            case PickleOpcode.Appends: AddTo(PickleKind.List, PopToMark()); break;
            case PickleOpcode.AddItems: AddTo(PickleKind.Set, PopToMark()); break;
            case PickleOpcode.SetItem: SetItems(PopMany(2)); break;
            case PickleOpcode.SetItems: SetItems(PopToMark()); break;
            default: return false;
        }
        return true;
    }

    private bool Memo(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Protocol:
                if (_cursor.ReadByte("protocol") is var protocol && protocol > 5)
                    throw Bad("a pickle protocol from 0 to 5", $"{protocol}");
                break;
            // Frames only tell a reader how much to buffer.
            case PickleOpcode.Frame: _cursor.ReadUInt64("frame length"); break;
            case PickleOpcode.Memoize: Memoize(null); break;
            case PickleOpcode.BinPut: Memoize(_cursor.ReadByte("memo index")); break;
            case PickleOpcode.LongBinPut: Memoize(_cursor.ReadUInt32("memo index")); break;
            case PickleOpcode.Put: Memoize(MemoIndex()); break;
            case PickleOpcode.BinGet: PushMemo(_cursor.ReadByte("memo index")); break;
            case PickleOpcode.LongBinGet: PushMemo(_cursor.ReadUInt32("memo index")); break;
            case PickleOpcode.Get: PushMemo(MemoIndex()); break;
            default: return false;
        }
        return true;
    }

    /// <summary>The opcodes with which a pickle makes Python import, call or look something up.</summary>
    private bool Naming(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case PickleOpcode.Global: Push(PickleValue.From(ReadGlobal())); break;
            case PickleOpcode.StackGlobal: StackGlobal(); break;
            case PickleOpcode.Reduce or PickleOpcode.NewObject: Describe(PopMany(2)); break;
            case PickleOpcode.NewObjectWithKeywords: Describe(PopMany(3)[..2]); break;
            case PickleOpcode.Object: ObjectFromMark(); break;
            case PickleOpcode.Instance: InstanceFromMark(); break;
            case PickleOpcode.Build: Build(); break;
            case PickleOpcode.PersistentId: PushPersistent(PickleValue.From(Encoding.UTF8.GetString(Line()))); break;
            case PickleOpcode.BinPersistentId: PushPersistent(Pop()); break;
            case PickleOpcode.Extension1 or PickleOpcode.Extension2 or PickleOpcode.Extension4:
                throw Bad(_globals.Description, "an extension code, which stands for a name in the writer's registry");
            case PickleOpcode.NextBuffer or PickleOpcode.ReadOnlyBuffer:
                throw Bad("a pickle that is complete in itself", "a reference to an out-of-band buffer");
            default: return false;
        }
        return true;
    }

    private PickleGlobal ReadGlobal()
    {
        var module = Encoding.UTF8.GetString(Line());
        return Allowed(new(module, Encoding.UTF8.GetString(Line())));
    }

    private void StackGlobal()
    {
        var names = PopMany(2);
        if (names[0].Text is not { } module || names[1].Text is not { } name)
            throw Bad("two strings as a global's module and name", $"{names[0]} and {names[1]}");
        Push(PickleValue.From(Allowed(new(module, name))));
    }

    private PickleGlobal Allowed(PickleGlobal global) =>
        _globals.Allows(global) ? global : throw Bad($"{_globals.Description} (Python would import and could run any other name)", global.ToString());

    /// <summary>Callable and arguments become the description of the call; an OrderedDict becomes the dictionary that it is.</summary>
    private void Describe(ReadOnlySpan<PickleValue> parts)
    {
        var (callable, arguments) = (parts[0], parts[1]);
        if (callable.Global is not { } global || arguments.Kind != PickleKind.Tuple)
            throw Bad("a global and a tuple of arguments", $"{callable} and {arguments}");
        if (global is { Module: "collections", Name: "OrderedDict" })
            Push(OrderedDictionary(arguments.Items!));
        else
            PushCall(global, arguments);
    }

    /// <summary>Python 3 calls it without arguments and stores the pairs afterwards; Python 2 passes a list of pairs.</summary>
    private PickleValue OrderedDictionary(IReadOnlyList<PickleValue> arguments)
    {
        var pairs = arguments.Count == 0 ? [] : arguments[0].Items;
        if (arguments.Count > 1 || pairs is null)
            throw Bad("no argument or a list of pairs for collections.OrderedDict", $"{arguments.Count} arguments");
        var flat = new List<PickleValue>(pairs.Count * 2);
        foreach (var pair in pairs)
        {
            if (pair.Items is not { Count: 2 } keyAndValue)
                throw Bad("pairs for collections.OrderedDict", pair.ToString());
            flat.AddRange(keyAndValue);
        }
        return NewDictionary(CollectionsMarshal.AsSpan(flat));
    }

    private void ObjectFromMark()
    {
        var parts = PopToMark();
        if (parts.IsEmpty || parts[0].Global is not { } global)
            throw Bad("a global to make an object of", parts.IsEmpty ? "nothing" : parts[0].ToString());
        PushCall(global, NewSequence(PickleKind.Tuple, parts[1..]));
    }

    private void InstanceFromMark()
    {
        var global = ReadGlobal();
        PushCall(global, NewSequence(PickleKind.Tuple, PopToMark()));
    }

    private void Build()
    {
        var state = Pop();
        // On a dictionary it sets attributes, such as the _metadata of a state dict; they say nothing about tensors.
        if (Peek().Call is { } call)
            call.State = state;
        else if (Peek().Dictionary is null)
            throw Bad("an object to attach state to", Peek().ToString());
    }

    private void PushCall(PickleGlobal global, PickleValue arguments)
    {
        Count(4);
        Push(PickleValue.From(new PickleCall(global, arguments)));
    }

    private void PushPersistent(PickleValue id)
    {
        Count(4);
        Push(PickleValue.From(new PicklePersistent(id)));
    }

    private void PushTuple(int count) => Push(NewSequence(PickleKind.Tuple, PopMany(count)));

    private PickleValue NewSequence(PickleKind kind, ReadOnlySpan<PickleValue> items)
    {
        Count(4);
        var sequence = new PickleSequence(kind);
        sequence.Add(items);
        return PickleValue.From(sequence);
    }

    private PickleValue NewDictionary(ReadOnlySpan<PickleValue> keysAndValues)
    {
        Count(4);
        var dictionary = new PickleDictionary();
        Fill(dictionary, keysAndValues);
        return PickleValue.From(dictionary);
    }

    private void AddTo(PickleKind kind, ReadOnlySpan<PickleValue> items)
    {
        if (Peek().Sequence is not { } sequence || sequence.Kind != kind)
            throw Bad($"a {kind.ToString().ToLowerInvariant()} to add items to", Peek().ToString());
        sequence.Add(items);
    }

    private void SetItems(ReadOnlySpan<PickleValue> keysAndValues) =>
        Fill(Peek().Dictionary ?? throw Bad("a dictionary to store items in", Peek().ToString()), keysAndValues);

    private void Fill(PickleDictionary dictionary, ReadOnlySpan<PickleValue> keysAndValues)
    {
        if (keysAndValues.Length % 2 != 0)
            throw Bad("a value for every key", $"{keysAndValues.Length} items");
        for (var index = 0; index < keysAndValues.Length; index += 2)
            dictionary.Add(keysAndValues[index], keysAndValues[index + 1]);
    }

    private PickleValue ReadLong(long bytes)
    {
        if (bytes > _limits.MaxIntegerBytes)
            throw Bad($"an integer of at most {_limits.MaxIntegerBytes} bytes", $"{bytes:N0} bytes");
        return PickleValue.From(new BigInteger(_cursor.Take((int)bytes, "integer")));
    }

    private PickleValue ReadText(ulong bytes) => PickleValue.From(_cursor.ReadText(Length(bytes), "string"));

    private PickleValue ReadBytes(ulong bytes) => PickleValue.From(_cursor.Take(Length(bytes), "bytes").ToArray());

    private int Length(ulong bytes)
    {
        if (bytes > (ulong)_limits.MaxTextBytes)
            throw Bad($"a string of at most {_limits.MaxTextBytes:N0} bytes", $"{bytes:N0} bytes");
        return (int)bytes;
    }

    private ReadOnlySpan<byte> Line() => _cursor.TakeLine("text");

    private uint MemoIndex() =>
        uint.TryParse(Line(), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : throw Bad("a memo index", "other text");

    /// <summary>Stores the topmost value under an index, or under the next free one.</summary>
    private void Memoize(uint? index)
    {
        Count(1);
        _memo.Put(index ?? _memo.Count, Peek());
    }

    private void PushMemo(uint index) => Push(_memo.TryGet(index, out var value) ? value : throw Bad("a memo index that was stored before", $"{index}"));

    private void Push(PickleValue value)
    {
        Count(1);
        if (_stackCount == _stack.Length)
            Array.Resize(ref _stack, _stackCount * 2);
        _stack[_stackCount++] = value;
    }

    private void Count(int values)
    {
        _values += values;
        if (_values > _limits.MaxValues)
            throw Bad($"a pickle of at most {_limits.MaxValues:N0} values", "more");
    }

    private void PushMark()
    {
        if (_marks.Count == _limits.MaxDepth)
            throw Bad($"values nested at most {_limits.MaxDepth:N0} deep", "more");
        _marks.Add(_stackCount);
    }

    /// <summary>The lowest stack index that may be taken without crossing a mark.</summary>
    private int Floor => _marks.Count == 0 ? 0 : _marks[^1];

    private PickleValue Peek() => _stackCount > Floor ? _stack[_stackCount - 1] : throw Bad("a value on the stack", "none");

    private PickleValue Pop()
    {
        var value = Peek();
        _stackCount--;
        return value;
    }

    private void PopValueOrMark()
    {
        if (_stackCount > Floor || _marks.Count == 0)
            Pop();
        else
            _marks.RemoveAt(_marks.Count - 1);
    }

    /// <summary>Removes the topmost values; the span is valid until the next push.</summary>
    private ReadOnlySpan<PickleValue> PopMany(int count)
    {
        if (_stackCount - Floor < count)
            throw Bad($"{count} values on the stack", $"{_stackCount - Floor}");
        return Cut(_stackCount - count);
    }

    private ReadOnlySpan<PickleValue> PopToMark()
    {
        if (_marks.Count == 0)
            throw Bad("a mark on the stack", "none");
        var start = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return Cut(start);
    }

    private ReadOnlySpan<PickleValue> Cut(int start)
    {
        var cut = _stack.AsSpan(start, _stackCount - start);
        _stackCount = start;
        return cut;
    }

    private CheckpointFormatException Bad(string expected, string found) => _cursor.Bad(expected, found, _opcodeAt);
}
