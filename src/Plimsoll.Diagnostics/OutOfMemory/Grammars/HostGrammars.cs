using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>The machine's own memory: allocators of every language, the page file, shared memory, and whoever kills processes for want of memory.</summary>
internal static partial class HostGrammars
{
    /// <summary>The blank is escaped for patterns that ignore blanks.</summary>
    private const string Size = @"\d[\d,]*(?:\.\d+)?\x20?(?:[KMGTPk]i?[bB]|bytes|B)";

    public static IEnumerable<IMessageGrammar> All()
    {
        yield return new PatternGrammar("host-allocator", "PyTorch", MemoryKind.Host, Torch);
        yield return new PatternGrammar("host-allocator", "the program", MemoryKind.Host, Program, (found, match) => match.Groups["numpy"].Success ? found with { Program = "NumPy" } : found);
        yield return new PatternGrammar("host-heap", "the runtime", MemoryKind.Host, ManagedHeap, (found, match) => found with { Program = match.Value.Contains("java", StringComparison.Ordinal) ? "Java" : "Node.js" });
        yield return new PatternGrammar("host-paging-file", "Windows", MemoryKind.Host, PagingFile);
        yield return new PatternGrammar("host-shared-memory", "PyTorch", MemoryKind.Host, SharedMemory, (found, match) => match.Value.Contains("nccl", StringComparison.Ordinal) ? found with { Program = "NCCL" } : found);
        yield return new PatternGrammar("host-killed", "the operating system", MemoryKind.Host, KernelKilled, (found, match) => found with { What = match.Groups["name"] is { Success: true } name ? name.Value : null, Ledger = found.Ledger with { ThisProcess = PatternGrammar.Bytes(match, "resident") } });
        yield return new PatternGrammar("host-limit", "the container", MemoryKind.Host, LimitKilled, (found, match) => found with { What = match.Groups["name"] is { Success: true } name ? name.Value : null, Ledger = found.Ledger with { ThisProcess = PatternGrammar.Bytes(match, "resident") } });
        yield return new PatternGrammar("host-killed", "the operating system", MemoryKind.Host, Signal);
        yield return new KilledLineGrammar();
        yield return new PatternGrammar("host-ray", "Ray", MemoryKind.Host, Ray, (found, match) =>
            PatternGrammar.Bytes(match, "used") is { } used && found.Ledger.Total is { } total ? found with { Ledger = found.Ledger with { Free = total - used } } : found);
        yield return new PatternGrammar("host-evicted", "Kubernetes", MemoryKind.Host, Evicted);
    }

    [GeneratedRegex($@"DefaultCPUAllocator: (?:can't allocate memory|not enough memory): you tried to allocate (?<requested>{Size})|not enough memory: you tried to allocate (?<requested>{Size})\. Buy new RAM|unable to mmap (?<size>\d+) bytes from file.{{0,200}}?Cannot allocate memory", RegexOptions.CultureInvariant)]
    private static partial Regex Torch { get; }

    /// <summary>Exceptions of device allocators that derive from these are passed over.</summary>
    [GeneratedRegex($"""
          (?:(?<numpy>(?:numpy\S*)?_ArrayMemoryError)|MemoryError):\ Unable\ to\ allocate\ (?<requested>{Size})
        | (?<![\w.:]|raise\ )(?:std::)?bad_alloc(?!:\ (?:out_of_memory|CUDA|cuda|hip|RMM)|\w)
        | \[Errno\ 12\]\ Cannot\ allocate\ memory | Cannot\ allocate\ memory\ \(os\ error\ 12\) | virtual\ memory\ exhausted
        | (?<![\w.'"`]|raise\ |except\ |class\ |\()MemoryError(?!\w|:\ (?:std::bad_alloc|Unable\ to\ allocate\ \d)|\(|'|`)
        | memory\ allocation\ of\ (?<size>\d+)\ bytes\ failed | (?:m|re)alloc\ of\ size\ (?<size>\d+)\ failed
        | cannot\ allocate\ vector\ of\ size\ (?<requested>{Size})
        | \bbad\ allocation\b | System\.OutOfMemoryException | fatal\ error:\ runtime:\ (?:out\ of|cannot\ allocate)\ memory
        | \(-4:Insufficient\ memory\)\ Failed\ to\ allocate\ (?<size>\d+)\ bytes
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Program { get; }

    [GeneratedRegex(@"java\.lang\.OutOfMemoryError: [\w ]+|JavaScript heap out of memory", RegexOptions.CultureInvariant)]
    private static partial Regex ManagedHeap { get; }

    [GeneratedRegex(@"[Tt]he paging file is too small for this operation to complete|\[WinError (?:1455|8)\]|\(os error 1455\)", RegexOptions.CultureInvariant)]
    private static partial Regex PagingFile { get; }

    [GeneratedRegex(@"dataloader's workers are out of shared memory|unable to (?:allocate|resize) shared memory ?\(shm\)|unable to write to file </torch_[^>]{0,80}>: No space left on device|failed to extend /dev/shm/nccl-\S+", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex SharedMemory { get; }

    [GeneratedRegex($@"(?<!cgroup )[Oo]ut of memory: Kill(?:ed)? process(?: \d+,?)? \((?<name>[^)]{{1,64}})\)(?:.{{0,160}}?anon-rss:(?<resident>{Size}))?|invoked oom-killer|killed by the OOM killer|Failed with result 'oom-kill'|systemd-oomd\S* Killed|EXC_RESOURCE.{{0,60}}?MEMORY|vm-pageshortage", RegexOptions.CultureInvariant)]
    private static partial Regex KernelKilled { get; }

    /// <summary>A limit of the container or the job was met, not the end of the machine's memory.</summary>
    [GeneratedRegex($@"[Mm]emory cgroup out of memory: [Kk]ill(?:ed)? process(?: \d+,?)? \((?<name>[^)]{{1,64}})\)(?:.{{0,160}}?anon-rss:(?<resident>{Size}))?|\bOOMKilled\b(?!""?\s*[:=]\s*""?[Ff]alse)|oom-kill:constraint=CONSTRAINT_MEMCG|[Dd]etected \d+ oom[-_ ]kill event|Exceeded (?:job|step) memory limit|task \d+: Out Of Memory|TERM_MEMLIMIT|mem \d+kb exceeded limit|State: OUT_OF_MEMORY|per-process-limit", RegexOptions.CultureInvariant)]
    private static partial Regex LimitKilled { get; }

    /// <summary>SIGKILL, which hardly anybody but the kernel sends to a job.</summary>
    [GeneratedRegex(@"failed \(exitcode: -9\)|Signal 9 \(SIGKILL\)|\bexit(?:ed)?(?: with)?(?: status| code|code):? ?137\b|return code = -9\b|died with <Signals\.SIGKILL: 9>|is killed by signal: Killed|signal: killed|oom-kill:(?!constraint=CONSTRAINT_MEMCG)|exited (?:\w+ )*with code -9\b|status=9/KILL", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Signal { get; }

    [GeneratedRegex($@"killed due to the node running low on memory(?:.{{0,600}}? was (?<used>{Size}) / (?<total>{Size}))?|Memory on the node was (?<used>{Size}) / (?<total>{Size})", RegexOptions.CultureInvariant)]
    private static partial Regex Ray { get; }

    [GeneratedRegex(@"The node was low on resource: memory", RegexOptions.CultureInvariant)]
    private static partial Regex Evicted { get; }
}
