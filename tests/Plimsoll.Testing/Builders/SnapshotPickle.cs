using System.Collections;

namespace Plimsoll.Testing.Builders;

/// <summary>Memory snapshots as torch's C++ pickler writes them: protocol 2, every string spelled out.</summary>
public static class SnapshotPickle
{
    /// <summary>A pickle of dictionaries, sequences, texts and integers.</summary>
    public static byte[] Of(object value)
    {
        var builder = new PickleBuilder();
        Write(builder, value);
        return builder.Bytes();
    }

    public static Dictionary<string, object> Frame(string name, string file, int line) => new() { ["name"] = name, ["filename"] = file, ["line"] = line };

    public static Dictionary<string, object> Event(string action, long address, long size, long time = 0, params object[] frames) => new()
    {
        ["action"] = action, [action == "oom" ? "device_free" : "addr"] = address, ["size"] = size, ["stream"] = 0, ["time_us"] = time, ["frames"] = frames,
    };

    public static Dictionary<string, object> Block(long address, long size, long requested, string state, params object[] frames) => new()
    {
        ["address"] = address, ["size"] = size, ["requested_size"] = requested, ["state"] = state, ["frames"] = frames,
    };

    public static Dictionary<string, object> Segment(long address, params Dictionary<string, object>[] blocks) => new()
    {
        ["device"] = 0, ["address"] = address, ["total_size"] = blocks.Sum(block => (long)block["size"]), ["stream"] = 0, ["segment_type"] = "large",
        ["segment_pool_id"] = new object[] { 0, 0 }, ["is_expandable"] = false, ["blocks"] = blocks,
    };

    public static Dictionary<string, object> Snapshot(object[] segments, object[] trace, params object[] annotations) => new()
    {
        ["segments"] = segments, ["device_traces"] = new object[] { trace }, ["external_annotations"] = annotations,
        ["allocator_settings"] = new Dictionary<string, object> { ["max_split_size"] = -1 },
    };

    private static void Write(PickleBuilder builder, object value)
    {
        switch (value)
        {
            case string text: builder.Text(text); break;
            case bool flag: builder.Raw((byte)(flag ? 0x88 : 0x89)); break;
            case int number: builder.Int(number); break;
            case long number: builder.Long(BitConverter.GetBytes(number)); break;
            case IDictionary<string, object> dictionary: WriteDictionary(builder, dictionary); break;
            case IEnumerable items: WriteList(builder, items); break;
            default: throw new ArgumentException($"{value.GetType()} is not for snapshots");
        }
    }

    private static void WriteDictionary(PickleBuilder builder, IDictionary<string, object> dictionary)
    {
        builder.Op('}').Op('(');
        foreach (var (key, value) in dictionary)
        {
            builder.Text(key);
            Write(builder, value);
        }
        builder.Op('u');
    }

    private static void WriteList(PickleBuilder builder, IEnumerable items)
    {
        builder.Op(']').Op('(');
        foreach (var item in items)
            Write(builder, item);
        builder.Op('e');
    }
}
