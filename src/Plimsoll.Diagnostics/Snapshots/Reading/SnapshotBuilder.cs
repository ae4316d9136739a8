using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Checkpoints.Pickle;

namespace Plimsoll.Diagnostics.Snapshots.Reading;

/// <summary>Recognizes frames, blocks, segments and events by their keys while the file is read, and puts each into its table.</summary>
internal sealed class SnapshotBuilder(string path) : IValueBuilder<Node>
{
    private readonly TextTable _texts = new();
    private readonly StackTable _stacks = new();
    private readonly PagedList<SnapshotBlock> _blocks = new();
    private readonly PagedList<TraceEvent> _events = new();
    private readonly PagedList<(long Requested, int Stack)> _histories = new();
    private readonly List<SnapshotSegment> _segments = [];
    private readonly List<SnapshotAnnotation> _annotations = [];
    private readonly List<Node[]> _containers = [];
    private ImmutableArray<(int First, int Count)> _traces = [];
    private ImmutableArray<(string Name, string Value)> _settings = [];
    private int[] _frames = new int[64];

    public Node None() => default;

    public Node Boolean(bool value) => new(NodeKind.Boolean, 0, value ? 1 : 0);

    /// <summary>Addresses of 64 bits keep their bits.</summary>
    public Node Integer(Int128 value) => value >= long.MinValue && value <= ulong.MaxValue
        ? new(NodeKind.Integer, 0, unchecked((long)value))
        : throw Bad("integers of at most 64 bits", value.ToString(CultureInfo.InvariantCulture));

    public Node Number(double value) => new(NodeKind.Number, 0, BitConverter.DoubleToInt64Bits(value));

    public Node Text(ReadOnlySpan<byte> utf8) => new(NodeKind.Text, 0, _texts.Add(utf8));

    public Node Sequence(ReadOnlySpan<Node> items)
    {
        if (items.IsEmpty)
            return new(NodeKind.Sequence, 0, 0);
        return items[0] switch
        {
            { Kind: NodeKind.Frame, Count: 0 } => Stack(items),
            { Kind: NodeKind.Block or NodeKind.Segment or NodeKind.Event or NodeKind.Annotation or NodeKind.History, Count: 0 } => Range(items),
            _ => Keep(NodeKind.Sequence, items),
        };
    }

    public Node Dictionary(ReadOnlySpan<Node> keysAndValues)
    {
        var fields = new Fields(keysAndValues, this);
        return fields.Has(Word.Action) ? Event(fields)
            : fields.Has(Word.Filename) ? Frame(fields)
            : fields.Has(Word.Blocks) ? Segment(fields)
            : fields.Has(Word.Segments) ? Root(fields)
            : fields.Has(Word.State) ? Block(fields)
            : fields.Has(Word.RealSize) ? History(fields)
            : fields.Has(Word.Stage) ? Annotation(fields)
            : Keep(NodeKind.Dictionary, keysAndValues);
    }

    /// <summary>The snapshot, once the whole file has become <paramref name="root"/>.</summary>
    public MemorySnapshot Finish(Node root)
    {
        var isSegments = root.Kind == NodeKind.Segment && root.Count > 0;
        if (root.Kind != NodeKind.Root && !isSegments && !root.IsEmptySequence)
            throw Bad("a memory snapshot: a dictionary with 'segments', or a list of segments", $"{root.Kind}");
        return new(path, _stacks, _blocks, _events, _traces, [.. _segments], [.. _annotations], _settings);
    }

    internal CheckpointFormatException Bad(string expected, string found) => new(path, null, expected, found);

    internal string TextOf(Node node) => node.Kind switch
    {
        NodeKind.Text => _texts[node.Value],
        NodeKind.Integer => node.Value.ToString(CultureInfo.InvariantCulture),
        NodeKind.Boolean => node.Value == 1 ? "True" : "False",
        NodeKind.Number => BitConverter.Int64BitsToDouble(node.Value).ToString(CultureInfo.InvariantCulture),
        NodeKind.Sequence => $"({string.Join(", ", Items(node).Select(TextOf))})",
        NodeKind.Dictionary => $"{{{string.Join(", ", Items(node).Chunk(2).Select(pair => $"{TextOf(pair[0])}: {TextOf(pair[1])}"))}}}",
        _ => "",
    };

    private Node[] Items(Node node) => node.Count == 0 ? [] : _containers[(int)node.Value];

    private Node Keep(NodeKind kind, ReadOnlySpan<Node> items)
    {
        _containers.Add(items.ToArray());
        return new(kind, items.Length, _containers.Count - 1);
    }

    private Node Stack(ReadOnlySpan<Node> items)
    {
        if (_frames.Length < items.Length)
            _frames = new int[items.Length * 2];
        for (var i = 0; i < items.Length; i++)
            _frames[i] = items[i].Kind == NodeKind.Frame ? (int)items[i].Value : throw Bad("a list of frames", $"{items[i].Kind} in it");
        return new(NodeKind.Stack, items.Length, _stacks.AddStack(_frames.AsSpan(0, items.Length)));
    }

    /// <summary>Rows that were made one after the other.</summary>
    private Node Range(ReadOnlySpan<Node> items)
    {
        for (var i = 1; i < items.Length; i++)
        {
            if (items[i].Kind != items[0].Kind || items[i].Count != 0 || items[i].Value != items[0].Value + i)
                throw Bad($"a list of things of the kind {items[0].Kind}, each its own", "another kind, or one thing twice");
        }
        return new(items[0].Kind, items.Length, items[0].Value);
    }

    private Node Frame(Fields fields) => new(NodeKind.Frame, 0, _stacks.AddFrame(new(fields.Text(Word.Name), fields.Text(Word.Filename), (int)fields.Integer(Word.Line))));

    private Node Event(Fields fields)
    {
        var action = fields.Text(Word.Action) switch
        {
            "alloc" => TraceAction.Alloc,
            "free_requested" => TraceAction.FreeRequested,
            "free_completed" or "free" => TraceAction.FreeCompleted,
            "segment_alloc" => TraceAction.SegmentAlloc,
            "segment_free" => TraceAction.SegmentFree,
            "segment_map" => TraceAction.SegmentMap,
            "segment_unmap" => TraceAction.SegmentUnmap,
            "snapshot" => TraceAction.Snapshot,
            "oom" => TraceAction.OutOfMemory,
            _ => TraceAction.Other,
        };
        var address = (ulong)fields.Integer(action == TraceAction.OutOfMemory && fields.Has(Word.DeviceFree) ? Word.DeviceFree : Word.Addr);
        return new(NodeKind.Event, 0, _events.Add(new(address, fields.Bytes(Word.Size), fields.Integer(Word.TimeMicroseconds), (ulong)fields.Integer(Word.Stream), fields.Stack(), action)));
    }

    private Node Block(Fields fields)
    {
        var state = fields.Text(Word.State) switch
        {
            "active_allocated" => BlockState.Allocated,
            "active_pending_free" or "active_awaiting_free" => BlockState.PendingFree,
            "inactive" => BlockState.Inactive,
            var other => throw Bad("a block that is active_allocated, active_pending_free or inactive", other),
        };
        var size = fields.Bytes(Word.Size);
        var (requested, stack) = fields.Has(Word.RequestedSize) ? (fields.Bytes(Word.RequestedSize), fields.Stack()) : (size, fields.Stack());
        if (fields.Rows(Word.History, NodeKind.History) is { Count: > 0 } history)
            (requested, stack) = _histories[history.First];
        return new(NodeKind.Block, 0, _blocks.Add(new((ulong)fields.Integer(Word.Address), size, requested, state, stack)));
    }

    /// <summary>torch 1.13 described blocks by what had been in them.</summary>
    private Node History(Fields fields) => new(NodeKind.History, 0, _histories.Add((fields.Bytes(Word.RealSize), fields.Stack())));

    private Node Segment(Fields fields)
    {
        var (first, count) = fields.Rows(Word.Blocks, NodeKind.Block);
        _segments.Add(new(
            Device(fields), (ulong)fields.Integer(Word.Address), fields.Bytes(Word.TotalSize), (ulong)fields.Integer(Word.Stream), fields.Text(Word.SegmentType) == "small",
            fields.Has(Word.SegmentPoolId) ? fields.Text(Word.SegmentPoolId) : "(0, 0)", fields.Integer(Word.IsExpandable) == 1, first, count));
        return new(NodeKind.Segment, 0, _segments.Count - 1);
    }

    private Node Annotation(Fields fields)
    {
        _annotations.Add(new(fields.Text(Word.Stage), fields.Text(Word.Name), Device(fields), fields.Integer(Word.TimeMicroseconds)));
        return new(NodeKind.Annotation, 0, _annotations.Count - 1);
    }

    private int Device(Fields fields) => fields.Integer(Word.Device) is >= 0 and <= SnapshotReader.MaxDevices and var device
        ? (int)device
        : throw Bad($"a device number of at most {SnapshotReader.MaxDevices}", fields.Text(Word.Device));

    private Node Root(Fields fields)
    {
        if (fields.Get(Word.DeviceTraces) is { Kind: NodeKind.Sequence } traces)
        {
            if (traces.Count > SnapshotReader.MaxDevices + 1)
                throw Bad($"traces of at most {SnapshotReader.MaxDevices + 1} devices", $"{traces.Count:N0}");
            _traces = [.. Items(traces).Select(trace => trace switch
            {
                { IsEmptySequence: true } => (0, 0),
                { Kind: NodeKind.Event, Count: > 0 } => ((int)trace.Value, trace.Count),
                _ => throw Bad("a list of events per device", $"{trace.Kind}"),
            })];
        }
        if (fields.Get(Word.AllocatorSettings) is { Kind: NodeKind.Dictionary } settings)
            _settings = [.. Items(settings).Chunk(2).Select(pair => (TextOf(pair[0]), TextOf(pair[1])))];
        fields.Rows(Word.Segments, NodeKind.Segment);
        return new(NodeKind.Root, 0, 0);
    }
}
