using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Plimsoll.Diagnostics.Benchmarks;

/// <summary>Writes a memory snapshot of any size, as Python's pickler writes torch's: protocol 4 in frames of 64 KiB, every object memoized, the frames of a stack shared by reference.</summary>
/// <remarks>Proportions of real files of training runs: 330 bytes an event, 100 frames a stack, 1,000 different frames, a stack of its own for every allocation and every free.</remarks>
internal sealed class SyntheticSnapshot(Stream file)
{
    private const int FrameBytes = 64 << 10;
    private const int StackFrames = 100, DifferentFrames = 1000, LiveTensors = 400;
    private const long SegmentBytes = 64L << 20;

    private readonly MemoryStream body = new();
    private readonly Dictionary<string, int> texts = [];
    private readonly Random random = new(7);
    private int[] frames = [];
    private int memo;

    /// <summary>Writes at least <paramref name="bytes"/> bytes.</summary>
    public void Write(long bytes)
    {
        file.Write([0x80, 4]);
        Dictionary();
        Mark();
        Text("device_traces");
        List();
        Mark();
        List();
        var tensors = new Queue<(long Address, long Size)>();
        var time = 1_700_000_000_000_000L;
        long next = 0;
        while (file.Position + body.Length < bytes)
        {
            Mark();
            for (var pair = 0; pair < 256; pair++)
            {
                var (address, size) = (0x7f0000000000 + (next++ % 4096 * (2L << 20)), 512L * random.Next(1, 4096));
                tensors.Enqueue((address, size));
                Event("alloc", address, size, time += 17, stack: null);
                if (tensors.Count <= LiveTensors)
                    continue;
                (address, size) = tensors.Dequeue();
                var stack = Event("free_requested", address, size, time += 11, stack: null);
                Event("free_completed", address, size, time += 3, stack);
            }
            // Appends.
            Byte('e');
            Flush(FrameBytes);
        }
        Byte('e');
        Text("segments");
        List();
        Mark();
        foreach (var tensor in tensors)
            Segment(tensor.Address, tensor.Size);
        Byte('e');
        // Setitems, stop.
        Byte('u');
        Byte('.');
        Flush(1);
    }

    /// <param name="stack">One that was written before; null writes another.</param>
    /// <returns>The number of its stack.</returns>
    private int Event(string action, long address, long size, long time, int? stack)
    {
        Dictionary();
        Mark();
        Text("action");
        Text(action);
        Text("addr");
        Integer(address);
        Text("size");
        Integer(size);
        Text("stream");
        Integer(0);
        Text("time_us");
        Integer(time);
        Text("compile_context");
        Text("N/A");
        Text("frames");
        if (stack is { } known)
            Get(known);
        else
            stack = WriteStack();
        Byte('u');
        return stack.Value;
    }

    private int WriteStack()
    {
        var own = memo;
        List();
        Mark();
        if (frames.Length == 0)
        {
            frames = [.. Enumerable.Range(0, DifferentFrames).Select(Frame)];
            Byte('e');
            return own;
        }
        // The innermost frames differ, the outermost are the program's entry.
        for (var depth = 0; depth < StackFrames; depth++)
            Get(frames[depth < 20 ? random.Next(DifferentFrames) : (depth * 7) % DifferentFrames]);
        Byte('e');
        return own;
    }

    private int Frame(int number)
    {
        var own = memo;
        Dictionary();
        Mark();
        Text("name");
        Text(string.Create(CultureInfo.InvariantCulture, $"forward_{number % 300}"));
        Text("filename");
        Text(string.Create(CultureInfo.InvariantCulture, $"/opt/conda/lib/python3.12/site-packages/torch/nn/modules/module_{number % 97}.py"));
        Text("line");
        Integer(100 + number);
        Byte('u');
        return own;
    }

    private void Segment(long address, long size)
    {
        Dictionary();
        Mark();
        foreach (var (key, value) in new[] { ("device", 0L), ("address", address), ("total_size", Math.Max(SegmentBytes, size)), ("allocated_size", size), ("active_size", size), ("requested_size", size), ("stream", 0L) })
        {
            Text(key);
            Integer(value);
        }
        Text("segment_type");
        Text("large");
        Text("blocks");
        List();
        Mark();
        Block(address, size, "active_allocated");
        Block(address + size, Math.Max(SegmentBytes, size) - size, "inactive");
        Byte('e');
        Byte('u');
    }

    private void Block(long address, long size, string state)
    {
        Dictionary();
        Mark();
        Text("address");
        Integer(address);
        Text("size");
        Integer(size);
        Text("requested_size");
        Integer(size);
        Text("state");
        Text(state);
        Byte('u');
    }

    private void Text(string text)
    {
        if (texts.TryGetValue(text, out var known))
        {
            Get(known);
            return;
        }
        var utf8 = Encoding.UTF8.GetBytes(text);
        body.Write([0x8c, (byte)utf8.Length]);
        body.Write(utf8);
        texts[text] = memo;
        Memoize();
    }

    private void Integer(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        if (value is >= 0 and <= byte.MaxValue)
        {
            body.Write([(byte)'K', bytes[0]]);
        }
        else if (value is >= int.MinValue and <= int.MaxValue)
        {
            Byte('J');
            body.Write(bytes[..4]);
        }
        else
        {
            body.Write([0x8a, 8]);
            body.Write(bytes);
        }
    }

    private void Get(int index)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, index);
        if (index <= byte.MaxValue)
        {
            body.Write([(byte)'h', bytes[0]]);
            return;
        }
        Byte('j');
        body.Write(bytes);
    }

    private void Dictionary()
    {
        Byte('}');
        Memoize();
    }

    private void List()
    {
        Byte(']');
        Memoize();
    }

    private void Mark() => Byte('(');

    private void Memoize()
    {
        body.WriteByte(0x94);
        memo++;
    }

    private void Byte(char opcode) => body.WriteByte((byte)opcode);

    private void Flush(int least)
    {
        if (body.Length < least)
            return;
        Span<byte> head = stackalloc byte[9];
        head[0] = 0x95;
        BinaryPrimitives.WriteInt64LittleEndian(head[1..], body.Length);
        file.Write(head);
        body.WriteTo(file);
        body.SetLength(0);
    }
}
