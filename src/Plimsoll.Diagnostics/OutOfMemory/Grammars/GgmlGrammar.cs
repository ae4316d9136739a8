using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>llama.cpp and what is built on it: one failed buffer writes up to five lines, which are one event.</summary>
/// <remarks>Source: ggml-cuda.cu, ggml-alloc.c, ggml-vulkan.cpp, llama-context.cpp.</remarks>
internal sealed partial class GgmlGrammar : IMessageGrammar
{
    /// <summary>Lines of one failure follow each other this closely.</summary>
    private const int Together = 1500;

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
        var isVulkan = match.Value.Contains("ulkan", StringComparison.Ordinal) || match.Value.Contains("ErrorOutOfDevice", StringComparison.Ordinal);
        return new()
        {
            Family = "llama.cpp",
            Program = "llama.cpp",
            Kind = isHost ? MemoryKind.Host : MemoryKind.Device,
            Backend = isHost ? null : isVulkan ? "Vulkan" : match.Value.Contains("GPUCommandBuffer", StringComparison.Ordinal) || match.Value.Contains("metal", StringComparison.Ordinal) ? "Metal" : match.Value.Contains("cudaMalloc", StringComparison.Ordinal) || buffer.StartsWith("CUDA", StringComparison.Ordinal) ? "CUDA" : match.Value.Contains("hipMalloc", StringComparison.Ordinal) ? "HIP" : null,
            Device = PatternGrammar.Number(match, "device") is { } device ? (int)device : Digits(buffer),
            Line = log.LineAt(match.Index),
            Position = match.Index,
            Quote = Quotes.Sentence(match.Value),
            What = match.Groups["what"] is { Success: true } what ? what.Value : null,
            Ledger = new() { Requested = Requested(match) },
            Recovered = match.Value.Contains("retrying", StringComparison.Ordinal),
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
            { } words when words.Contains("kv", StringComparison.OrdinalIgnoreCase) => "KV cache",
            { } words when words.Contains("compute", StringComparison.Ordinal) || words.Contains("graph", StringComparison.Ordinal) => "compute",
            { } words when words.Contains("model", StringComparison.Ordinal) => "weights",
            _ when around.Contains("kv cache", StringComparison.OrdinalIgnoreCase) || around.Contains("kv_cache", StringComparison.OrdinalIgnoreCase) => "KV cache",
            _ when around.Contains("gallocr", StringComparison.Ordinal) || around.Contains("graph_reserve", StringComparison.Ordinal) || around.Contains("compute buffer", StringComparison.Ordinal) => "compute",
            _ when around.Contains("load_tensors", StringComparison.Ordinal) || around.Contains("llm_load", StringComparison.Ordinal) || around.Contains("model buffer", StringComparison.Ordinal) => "weights",
            _ => null,
        };
        return found with { What = what };
    }

    private static int? Digits(string buffer)
    {
        var digits = new string([.. buffer.SkipWhile(letter => !char.IsAsciiDigit(letter)).TakeWhile(char.IsAsciiDigit)]);
        return int.TryParse(digits, out var device) ? device : null;
    }

    [GeneratedRegex("""
          allocating\ (?<requested>[\d.]+\ MiB)\ on\ device\ (?<device>\d+):\ (?:cuda|hip|musa)Malloc\ failed:\ out\ of\ memory
        | ggml_gallocr_reserve_n\w*:\ failed\ to\ allocate\ (?<buffer>\S+)\ buffer\ of\ size\ (?<bytes>\d+)
        | alloc_tensor_range:\ failed\ to\ allocate\ (?<buffer>\S+)\ buffer\ of\ size\ (?<bytes>\d+)
        | ggml_vulkan:\ Device\ memory\ allocation\ of\ size\ (?<bytes>\d+)\ failed
        | ErrorOutOfDeviceMemory | VK_ERROR_OUT_OF_DEVICE_MEMORY
        | (?<host>ggml_aligned_malloc):\ insufficient\ memory\ \(attempted\ to\ allocate\ +(?<requested>[\d.]+\ MB)\)
        | kIOGPUCommandBufferCallbackErrorOutOfMemory
        | failed\ to\ allocate\ buffer\ for\ (?<what>kv\ cache)
        | failed\ to\ allocate\ (?<what>compute)\ (?:pp\ |tg\ )?buffers?
        | compute\ buffer\ allocation\ failed,\ retrying\ without\ pipeline\ parallelism
        | unable\ to\ allocate\ (?<buffer>\S+)\ buffer
        | ggml_metal\w*:\ (?:error:\ )?failed\ to\ allocate\ buffer,\ size\ =\ +(?<requested>[\d.]+\ MiB)
        | ggml_cuda_host_malloc:\ failed\ to\ allocate\ (?<requested>[\d.]+\ MiB)\ of\ (?<host>pinned)\ memory
        | (?:cuda|hip|musa)Malloc\ failed:\ out\ of\ memory
        """, RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Line { get; }
}
