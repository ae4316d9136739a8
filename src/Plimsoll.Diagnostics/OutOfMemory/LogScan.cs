using System.Buffers;

namespace Plimsoll.Diagnostics.OutOfMemory;

/// <summary>Finds in logs of any length the lines worth reading: those with a word of memory, with what stands around them. A short log is kept whole.</summary>
/// <remarks>Patterns cost microseconds a line; a search for many words at once passes gigabytes a second, so it goes first.</remarks>
internal sealed class LogScan
{
    /// <summary>A log up to this length is kept whole.</summary>
    public const int ShortLog = 1 << 20;

    /// <summary>What is kept of all logs together, in characters; the oldest goes first.</summary>
    private const int MostKept = 32 << 20;

    /// <summary>Characters before the unread part that stay in the buffer, for tracebacks.</summary>
    private const int Context = 1 << 16;

    private const int LinesBefore = 200, LinesAfter = 24;

    /// <summary>Every message that a grammar reads has one of these, and every statement of a batch size.</summary>
    private static readonly SearchValues<string> Words = SearchValues.Create(
        [
            "out of", "outof", "out_of_", "to allocate", "not allocate", "t allocate", "allocating", "allocation", "alloc failed", "alloc_failed", "allocfailed", "bad_alloc", "be allocated", "alloc of size", "malloc fail",
            "device memory failed", "memory_error", "killed", "sigkill", "137", "code: -9", "code = -9", "code -9", "9/kill", "exhausted", "not enough", "insufficient", "memoryerror", "memory error", "error in memory", "memlimit",
            "memory limit", "exceeded limit", "per-process-limit", "pageshortage", "vram", "available memory", "system memory", "kv cache memory", "tokens that can be stored", "free memory", "isn't enough", "paging file", "winerror",
            "os error 1455", "errno 12", "running low", "low on resource", "internal assert failed", "_status_not_initialized", "not initialized", "cudnn handle", "dispatched on the", "executable batch", "cache flushes",
            "reduce memory", "that was not possible", "invalid buffer size", "buffer size exceeds", "hbm usage", "ndarray >", "maximum allowed buffer", "max_total_tokens", "mem-fraction-static", "hipmalloc", "pt_devmem",
            "oom-kill", "oom_kill", "oom kill", "oomkill", "oom killer", "oom when", "exc_resource", "memory exhausted", "swap space", "extend /dev/shm", "doesn't support querying", "too many resources", "shared memory", "batch_size", "batch size",
        ],
        StringComparison.OrdinalIgnoreCase);

    private readonly Queue<(int Number, string Raw)> kept = [];
    private readonly char[] buffer = new char[ShortLog + Context];
    private int keptCharacters;
    private int line = 1;
    private int keepThrough;

    public IEnumerable<(int Number, string Raw)> Kept => kept;

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

    /// <summary>Keeps what is worth it of the lines from <paramref name="at"/> on; returns where the last kept line ends.</summary>
    private int Search(ReadOnlySpan<char> text, int at, int taken)
    {
        while (at < text.Length)
        {
            if (line > keepThrough)
            {
                var hit = text[at..].IndexOfAny(Words);
                if (hit < 0)
                {
                    line += text[at..].Count('\n');
                    return taken;
                }
                var start = at + text.Slice(at, hit).LastIndexOf('\n') + 1;
                line += text[at..start].Count('\n');
                KeepBefore(text, start, taken);
                at = start;
                keepThrough = line + LinesAfter;
            }
            var length = text[at..].IndexOf('\n') is >= 0 and var found ? found : text.Length - at;
            var whole = text.Slice(at, length);
            Keep(line++, whole);
            if (keepThrough != int.MaxValue && whole.ContainsAny(Words))
                keepThrough = line + LinesAfter;
            taken = at = Math.Min(text.Length, at + length + 1);
        }
        return taken;
    }

    private void KeepBefore(ReadOnlySpan<char> text, int start, int taken)
    {
        var (from, count) = (start, 0);
        while (from > taken && count < LinesBefore)
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
            kept.Enqueue((number, raw[part].ToString()));
            keptCharacters += raw[part].Length + 1;
        }
        while (keptCharacters > MostKept)
            keptCharacters -= kept.Dequeue().Raw.Length + 1;
    }
}
