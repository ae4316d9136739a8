using System.Buffers;
using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Finds in logs of any length the lines worth reading: those with a word of memory, with what stands around them. A short log is kept whole.</summary>
/// <remarks>Patterns cost microseconds a line; a search for many words at once passes gigabytes a second, so it goes first.</remarks>
internal sealed class LogScan
{
    /// <summary>A log up to this length is kept whole.</summary>
    public const int ShortLog = 1 << 20;

    /// <summary>What is kept of the beginning, and of the end, of all logs together, in characters: the first event is the cause, the last one why it ended.</summary>
    private const int MostKept = 16 << 20;

    /// <summary>Characters before the unread part that stay in the buffer, for tracebacks.</summary>
    private const int Context = 1 << 16;

    private const int LinesBefore = 200, LinesAfter = 24;

    /// <summary>Every message that a grammar reads has one of these, and every statement of a batch size.</summary>
    /// <remarks>In groups: a vectorized search for two dozen words passes 5 GB/s, for three times as many a twentieth of that.</remarks>
    private static readonly ImmutableArray<SearchValues<string>> Words =
    [
        Group(
            "out of", "outof", "out_of_", "o allocate", "t allocate", "allocation", "be alloc", "alloc f", "alloc_f", "allocf", "alloc of", "bad_alloc", "exhausted", "not enough", "insufficient",
            "isn't enough", "exceed", "killed", "sigkill", "exit", "code = -9", "9/kill", "oom-"),
        Group(
            "oom_", "oom k", "oomk", "memoryerror", "memory_error", "memory limit", "memlimit", "per-process-limit", "pageshortage", "exc_resource", "vram", "available memory", "system memory",
            "free memory", "kv cache memory", "that can be stored", "memory profiling", "swap space", "max_total_tokens", "mem-fraction-static", "paging file", "winerror", "os error"),
        Group(
            "errno 12", "running low", "low on resource", "internal assert", "not_initialized", "not initialized", "cudnn handle", "dispatched on", "executable batch", "cache flush", "reduce memory",
            "that was not possible", "invalid buffer", "allowed buffer", "ndarray >", "extend /dev/shm", "support querying", "too many resources", "shared memory", "batch_size", "batch size",
            "batch-size"),
    ];

    private readonly List<(int Number, string Raw)> first = [];
    private readonly Queue<(int Number, string Raw)> last = [];
    private readonly char[] buffer = new char[ShortLog + Context];
    private int firstCharacters, lastCharacters;
    private int line = 1;
    private int keepThrough;

    public IEnumerable<(int Number, string Raw)> Kept => first.Concat(last);

    public bool HasText { get; private set; }

    public void Add(TextReader log)
    {
        var length = log.ReadBlock(buffer, 0, ShortLog);
        HasText |= !buffer.AsSpan(0, length).Trim().IsEmpty;
        if (length < ShortLog)
        {
            keepThrough = int.MaxValue;
            Search(buffer.AsSpan(0, length), 0, 0);
            keepThrough = 0;
            return;
        }
        // [0, unread) is context, of which everything before taken is kept already.
        var (unread, taken) = (0, 0);
        for (var isEnd = false; !isEnd;)
        {
            var read = log.ReadBlock(buffer, length, buffer.Length - length);
            isEnd = read < buffer.Length - length;
            length += read;
            // A line longer than the buffer is cut.
            var end = isEnd ? length : buffer.AsSpan(unread, length - unread).LastIndexOf('\n') is >= 0 and var last ? unread + last + 1 : length;
            taken = Search(buffer.AsSpan(0, end), unread, taken);
            var from = Math.Max(0, end - Context);
            buffer.AsSpan(from, length - from).CopyTo(buffer);
            (length, unread, taken) = (length - from, end - from, Math.Max(0, taken - from));
        }
    }

    private static SearchValues<string> Group(params ReadOnlySpan<string> words) => SearchValues.Create(words, StringComparison.OrdinalIgnoreCase);

    /// <summary>Keeps what is worth it of the lines from <paramref name="at"/> on; returns where the last kept line ends.</summary>
    private int Search(ReadOnlySpan<char> text, int at, int taken)
    {
        Span<int> hits = stackalloc int[Words.Length];
        hits.Fill(-1);
        while (at < text.Length)
        {
            var hit = NextHit(text, at, hits);
            if (line > keepThrough)
            {
                if (hit == text.Length)
                {
                    line += text[at..].Count('\n');
                    return taken;
                }
                var start = at + text[at..hit].LastIndexOf('\n') + 1;
                line += text[at..start].Count('\n');
                KeepBefore(text, start, taken);
                at = start;
                keepThrough = line;
            }
            var length = text[at..].IndexOf('\n') is >= 0 and var found ? found : text.Length - at;
            if (hit < at + length)
                keepThrough = Math.Max(keepThrough, line + LinesAfter);
            Keep(line++, text.Slice(at, length));
            taken = at = Math.Min(text.Length, at + length + 1);
        }
        return taken;
    }

    /// <summary>Where the next word is, or the end of the text. What each group has found is remembered until it has been passed.</summary>
    private static int NextHit(ReadOnlySpan<char> text, int at, Span<int> hits)
    {
        var nearest = text.Length;
        for (var group = 0; group < hits.Length; group++)
        {
            if (hits[group] < at)
                hits[group] = text[at..].IndexOfAny(Words[group]) is >= 0 and var found ? at + found : text.Length;
            nearest = Math.Min(nearest, hits[group]);
        }
        return nearest;
    }

    private void KeepBefore(ReadOnlySpan<char> text, int start, int taken)
    {
        var (from, count) = (start, 0);
        // Before the rest of a line that was cut there is only its beginning.
        while (from > taken && text[start - 1] == '\n' && count < LinesBefore)
        {
            from = text[..(from - 1)].LastIndexOf('\n') + 1;
            count++;
        }
        from = Math.Max(from, taken);
        for (var number = line - count; from < start; number++)
        {
            var length = text[from..].IndexOf('\n');
            Keep(number, text.Slice(from, length));
            from += length + 1;
        }
    }

    private void Keep(int number, ReadOnlySpan<char> raw)
    {
        foreach (var part in raw.TrimEnd('\r').Split('\r'))
        {
            var text = raw[part].ToString();
            if (firstCharacters < MostKept)
            {
                first.Add((number, text));
                firstCharacters += text.Length + 1;
                continue;
            }
            last.Enqueue((number, text));
            lastCharacters += text.Length + 1;
        }
        while (lastCharacters > MostKept)
            lastCharacters -= last.Dequeue().Raw.Length + 1;
    }
}
