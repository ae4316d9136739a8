using System.Runtime.InteropServices;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>One frame of a call stack.</summary>
/// <param name="File">As the writer stored it: empty or <c>??</c> for machine code without symbols.</param>
public readonly record struct StackFrame(string Name, string File, int Line);

/// <summary>Frames and stacks of frames, each once, by number. Stacks list the innermost frame first.</summary>
public sealed class StackTable
{
    /// <summary>The stack of what was recorded without one.</summary>
    public const int None = -1;

    private readonly List<StackFrame> _frames = [];
    private readonly Dictionary<StackFrame, int> _frameNumbers = [];
    private readonly List<int[]> _stacks = [];
    private readonly Dictionary<int[], int> _stackNumbers = new(new StackComparer());

    public int Count => _stacks.Count;

    /// <summary>The frames of a stack, innermost first; none for <see cref="None"/>.</summary>
    public IEnumerable<StackFrame> Frames(int stack) => stack == None ? [] : _stacks[stack].Select(frame => _frames[frame]);

    internal int AddFrame(StackFrame frame)
    {
        ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(_frameNumbers, frame, out var known);
        if (!known)
        {
            number = _frames.Count;
            _frames.Add(frame);
        }
        return number;
    }

    internal int AddStack(ReadOnlySpan<int> frames)
    {
        if (frames.IsEmpty)
            return None;
        var lookup = _stackNumbers.GetAlternateLookup<ReadOnlySpan<int>>();
        if (lookup.TryGetValue(frames, out var number))
            return number;
        number = _stacks.Count;
        _stacks.Add(frames.ToArray());
        _stackNumbers.Add(_stacks[number], number);
        return number;
    }

    private sealed class StackComparer : IEqualityComparer<int[]>, IAlternateEqualityComparer<ReadOnlySpan<int>, int[]>
    {
        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<int> alternate, int[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(int[] stack) => GetHashCode(stack.AsSpan());

        public int GetHashCode(ReadOnlySpan<int> stack)
        {
            var hash = default(HashCode);
            hash.AddBytes(MemoryMarshal.AsBytes(stack));
            return hash.ToHashCode();
        }

        public int[] Create(ReadOnlySpan<int> stack) => stack.ToArray();
    }
}
