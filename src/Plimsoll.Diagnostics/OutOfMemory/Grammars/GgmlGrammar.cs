using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>llama.cpp and what is built on it: one failed buffer writes up to five lines, which are one event.</summary>
/// <remarks>Source: ggml-cuda.cu, ggml-alloc.c, ggml-vulkan.cpp, llama-context.cpp.</remarks>
internal sealed partial class GgmlGrammar : IMessageGrammar
{
    private const string Name = "llama.cpp";

    /// <summary>Lines of one failure follow each other this closely.</summary>
    private const int Together = 1500;

    /// <summary>Words of a message that name its backend.</summary>
    private static readonly (string Sign, string Name)[] Backends =
    [
        ("cudaMalloc", "CUDA"), ("CUDA", "CUDA"), ("hipMalloc", "HIP"), ("ROCm", "HIP"), ("musaMalloc", "MUSA"), ("aclrtMalloc", "CANN"), ("vulkan", "Vulkan"), ("ErrorOutOfDevice", "Vulkan"), ("ErrorOutOfHost", "Vulkan"), ("VK_ERROR", "Vulkan"),
        ("Requested buffer size", "Vulkan"), ("GPUCommandBuffer", "Metal"), ("metal", "Metal"), ("SYCL", "SYCL"), ("Bytes of memory", "SYCL"), ("(err=", "OpenCL"),
    ];

    /// <summary>What a bare line must have near it to be llama.cpp's: others report Metal's and CUDA's errors in the same words.</summary>
    private static readonly string[] Own = ["ggml", "llama", "sched_reserve", "koboldcpp", "stable-diffusion"];

    public IEnumerable<OutOfMemoryEvent> Find(LogText log)
    {
        OutOfMemoryEvent? current = null;
        var end = 0;
        foreach (Match match in Line.Matches(log.Flat))
        {
            var next = Read(log, match);
            if (current is not null && match.Index - end < Together && !Contradict(current, next))
            {
                current = Merge(current, next);
            }
            else
            {
                if (current is not null)
                    yield return Finish(log, current, end);
                current = next;
            }
            end = match.Index + match.Length;
        }
        if (current is not null)
            yield return Finish(log, current, end);
    }

    private static OutOfMemoryEvent Read(LogText log, Match match)
    {
        var buffer = match.Groups["buffer"].Value;
        var isHost = match.Groups["host"].Success || buffer.StartsWith("CPU", StringComparison.OrdinalIgnoreCase);
        return new()
        {
            Family = Name,
            Program = Name,
            Kind = isHost ? MemoryKind.Host : MemoryKind.Device,
            Backend = isHost ? null : Backends.FirstOrDefault(backend => match.Value.Contains(backend.Sign, StringComparison.OrdinalIgnoreCase)).Name,
            Device = PatternGrammar.Number(match, "device") is { } device ? (int)device : Digits(buffer),
            Line = log.LineAt(match.Index),
            Position = match.Index,
            Quote = Quotes.Sentence(match.Value),
            What = match.Groups["what"] is { Success: true } what ? what.Value : null,
            Ledger = new() { Requested = Requested(match) },
            // Pinned memory is replaced by ordinary memory.
            Recovered = match.Value.Contains("retrying", StringComparison.Ordinal) || match.Groups["pinned"].Success,
        };
    }

    private static Amount? Requested(Match match) => PatternGrammar.Bytes(match, "requested") ?? (match.Groups["bytes"] is { Success: true } bytes ? Amount.Parse(bytes.Value + " bytes") : null);

    private static bool Contradict(OutOfMemoryEvent left, OutOfMemoryEvent right) =>
        left.Kind != right.Kind && left.What is null && right.Ledger.Requested is not null
        || left.Ledger.Requested is { } one && right.Ledger.Requested is { } other && Math.Abs(one.Bytes - other.Bytes) > one.Rounding + other.Rounding + 1;

    private static OutOfMemoryEvent Merge(OutOfMemoryEvent left, OutOfMemoryEvent right) => left with
    {
        Kind = left.Kind == MemoryKind.Host ? left.Kind : right.Ledger.Requested is null ? left.Kind : right.Kind,
        Backend = left.Backend ?? right.Backend,
        Device = left.Device ?? right.Device,
        What = left.What ?? right.What,
        Recovered = left.Recovered || right.Recovered,
        Ledger = left.Ledger with { Requested = left.Ledger.Requested is { } one && right.Ledger.Requested is { } other ? (one.Rounding <= other.Rounding ? one : other) : left.Ledger.Requested ?? right.Ledger.Requested },
    };

    /// <summary>Which buffer it was, from the failing lines or the words just before them.</summary>
    private static OutOfMemoryEvent Finish(LogText log, OutOfMemoryEvent found, int end)
    {
        var around = log.Flat[Math.Max(0, found.Position - 300)..Math.Min(log.Flat.Length, end + 300)];
        var what = found.What switch
        {
            { } words when words.Contains("cache", StringComparison.Ordinal) => "KV cache",
            { } words when words.Contains("compute", StringComparison.Ordinal) || words.Contains("graph", StringComparison.Ordinal) => "compute",
            { } words => words,
            _ when around.Contains("kv cache", StringComparison.OrdinalIgnoreCase) || around.Contains("kv_cache", StringComparison.OrdinalIgnoreCase) => "KV cache",
            _ when around.Contains("gallocr", StringComparison.Ordinal) || around.Contains("graph_reserve", StringComparison.Ordinal) || around.Contains("compute buffer", StringComparison.Ordinal) => "compute",
            _ when around.Contains("load_tensors", StringComparison.Ordinal) || around.Contains("llm_load", StringComparison.Ordinal) || around.Contains("model buffer", StringComparison.Ordinal) => "weights",
            _ => null,
        };
        return IsBare(found) && !Own.Any(sign => around.Contains(sign, StringComparison.OrdinalIgnoreCase))
            ? found with { Family = "cuda", Program = found.Backend ?? "CUDA" }
            : found with { What = what };
    }

    private static bool IsBare(OutOfMemoryEvent found) => found is { Ledger.Requested: null, What: null, Recovered: false };

    private static int? Digits(string buffer)
    {
        var digits = new string([.. buffer.SkipWhile(letter => !char.IsAsciiDigit(letter)).TakeWhile(char.IsAsciiDigit)]);
        return int.TryParse(digits, out var device) ? device : null;
    }

    [GeneratedRegex("""
          allocating\ (?<requested>[\d.]+\ MiB)\ on\ device\ (?<device>\d+):\ (?:cudaMalloc|hipMalloc|musaMalloc|aclrtMalloc)\ failed
        | (?:ggml_gallocr_reserve_n\w*|alloc_tensor_range|ggml_backend_alloc_ctx_tensors\w*):\ failed\ to\ allocate\ (?<buffer>\S+)\ buffer\ of\ size\ (?<bytes>\d+)
        | ggml_vulkan:\ (?:Device\ m|M)emory\ allocation\ of\ size\ (?<bytes>\d+)\ failed
        | ErrorOutOfDeviceMemory | VK_ERROR_OUT_OF_DEVICE_MEMORY | (?<host>ErrorOutOfHostMemory)
        | Requested\ buffer\ size\ exceeds\ device\ (?:memory\ allocation|buffer\ size)\ limit
        | (?<host>ggml_aligned_malloc):\ insufficient\ memory\ \(attempted\ to\ allocate\ +(?<requested>[\d.]+\ MB)\)
        | (?<host>ggml_backend_cpu_buffer_type_alloc_buffer):\ failed\ to\ allocate\ buffer\ of\ size\ (?<bytes>\d+)
        | kIOGPUCommandBufferCallbackErrorOutOfMemory
        | failed\ to\ allocate\ buffer\ for\ (?<what>(?:kv|rs)\ cache)
        | failed\ to\ allocate\ (?<what>compute)\ (?:pp\ |tg\ )?buffers?
        | failed\ to\ allocate\ (?<what>output)\ buffer\ of\ size\ (?<requested>[\d.]+\ MiB)
        | compute\ buffer\ allocation\ failed,\ retrying\ without\ pipeline\ parallelism
        | unable\ to\ allocate\ (?<buffer>\S+)\ buffer
        | ggml_(?:backend_)?metal\w*:\ (?:error:\ )?failed\ to\ allocate\ (?:buffer,\ size\ =\ +(?<requested>[\d.]+\ MiB)|Metal\ buffer\ of\ (?<bytes>\d+)\ bytes)
        | can't\ allocate\ (?<bytes>\d+)\ Bytes\ of\ memory\ on\ (?:device|(?<host>host))
        | failed\ to\ allocate\ (?<requested>[\d.]+\ MiB)\ \(err=-?\d+\)
        | failed\ to\ allocate\ (?<requested>[\d.]+\ Mi?B)\ of\ (?<host>(?<pinned>pinned))\ memory
        | (?<!storage_manager\.h:\d{1,5}\]?:?\ )(?:cuda|hip|musa)Malloc\ failed:\ out\ of\ memory
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Line { get; }
}
