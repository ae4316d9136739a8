using System.Text.RegularExpressions;

namespace Plimsoll.Diagnostics.OutOfMemory.Grammars;

/// <summary>vLLM, SGLang, TGI, TensorRT-LLM, LM Studio and ollama, whose starts fail with sentences of their own.</summary>
internal static partial class ServingGrammars
{
    private const string Size = @"-?\d[\d,]*(?:\.\d+)? ?(?:[KMGTP]i?B|bytes|B)";

    public static IEnumerable<IMessageGrammar> All()
    {
        yield return new PatternGrammar("vllm-startup", "vLLM", MemoryKind.Device, VllmStart, (found, match) => found with
        {
            Backend = match.Value.Contains("cuda", StringComparison.Ordinal) ? "CUDA" : null,
            // "13.91/79.33 GiB": the first number has the unit of the second.
            Ledger = found.Ledger with { Free = Amount.Parse(match.Groups["x"].Value + "GiB"), Total = Amount.Parse(match.Groups["y"].Value + "GiB") },
            Serving = new() { Utilization = PatternGrammar.Fraction(match, "u"), Desired = PatternGrammar.Bytes(match, "desired") },
        });
        yield return new PatternGrammar("vllm-no-cache-blocks", "vLLM", MemoryKind.Device, VllmNoBlocks, (found, match) => found with
        {
            Serving = new() { CacheAvailable = PatternGrammar.Bytes(match, "available") },
        });
        yield return new PatternGrammar("vllm-cache-too-small", "vLLM", MemoryKind.Device, VllmSmallCache, (found, match) => found with
        {
            Serving = new()
            {
                ModelLength = PatternGrammar.Number(match, "length"),
                CacheNeeded = PatternGrammar.Bytes(match, "needed"),
                CacheAvailable = PatternGrammar.Bytes(match, "available"),
                PossibleLength = PatternGrammar.Number(match, "possible"),
            },
        });
        yield return new PatternGrammar("vllm-cache-too-small", "vLLM", MemoryKind.Device, VllmFewTokens, (found, match) => found with
        {
            Serving = new() { ModelLength = PatternGrammar.Number(match, "length"), CacheTokens = PatternGrammar.Number(match, "tokens"), PossibleLength = PatternGrammar.Number(match, "tokens") },
        });
        yield return new PatternGrammar("vllm-sampler", "vLLM", MemoryKind.Device, VllmSampler, (found, match) => found with { Serving = new() { Batch = PatternGrammar.Number(match, "batch") } });
        yield return new PatternGrammar("sglang-startup", "SGLang", MemoryKind.Device, SglangStart, (found, match) => found with { Serving = new() { Utilization = PatternGrammar.Fraction(match, "u") } });
        yield return new PatternGrammar("sglang-pool", "SGLang", MemoryKind.Device, SglangPool, (found, match) => found with
        {
            Serving = new() { ModelLength = PatternGrammar.Number(match, "length"), CacheTokens = PatternGrammar.Number(match, "tokens") },
        });
        yield return new PatternGrammar("tgi-prefill", "TGI", MemoryKind.Device, TgiPrefill, (found, match) => found with { Serving = new() { Batch = PatternGrammar.Number(match, "batch") } });
        yield return new PatternGrammar("sglang-tokens", "SGLang", MemoryKind.Device, SglangTokens, (found, match) => found with
        {
            Serving = new() { Batch = PatternGrammar.Number(match, "batch"), CacheTokens = PatternGrammar.Number(match, "tokens") },
        });
        yield return new PatternGrammar("ollama-host", "ollama", MemoryKind.Host, OllamaHost);
        yield return new PatternGrammar("ollama-layout", "ollama", MemoryKind.Device, OllamaLayout);
        yield return new PatternGrammar("lmstudio-guardrail", "LM Studio", MemoryKind.Host, LmStudio);
        yield return new PatternGrammar("tensorrt-llm", "TensorRT-LLM", MemoryKind.Device, TensorRtLlm, backend: "CUDA");
        yield return new PatternGrammar("vllm-swap", "vLLM", MemoryKind.Host, VllmSwap);
        yield return new PatternGrammar("vllm-profiling", "vLLM", MemoryKind.None, VllmProfiling);
        yield return new PatternGrammar("cache-pressure", "vLLM", MemoryKind.None, VllmPreemption);
        yield return new PatternGrammar("ggml-pool", "llama.cpp", MemoryKind.None, GgmlPool);
    }

    [GeneratedRegex(@"Free memory on device(?: \S+)? \((?<x>[\d.]+)/(?<y>[\d.]+) ?GiB\) on startup is less than desired GPU memory utilization \((?<u>[\d.]+), (?<desired>" + Size + @")\)", RegexOptions.CultureInvariant)]
    private static partial Regex VllmStart { get; }

    [GeneratedRegex(@"(?:Available KV cache memory: (?<available>" + Size + @")(?:(?!Available KV cache).){0,4000}?)?No available memory for the cache blocks", RegexOptions.CultureInvariant)]
    private static partial Regex VllmNoBlocks { get; }

    [GeneratedRegex(@"To serve at least one request with the models?'s max seq len \((?<length>\d+)\),? \(?(?<needed>" + Size + @") KV cache is needed, which is larger than the available(?: KV cache memory)? \((?<available>" + Size + @")\)(?:\.[^.\d]{0,60}?estimated maximum model length is (?<possible>\d+))?", RegexOptions.CultureInvariant)]
    private static partial Regex VllmSmallCache { get; }

    [GeneratedRegex(@"max seq len \((?<length>\d+)\) is larger than the maximum number of tokens that can be stored in KV cache \((?<tokens>\d+)\)", RegexOptions.CultureInvariant)]
    private static partial Regex VllmFewTokens { get; }

    [GeneratedRegex(@"CUDA out of memory occurred when warming up sampler with (?<batch>\d+) dummy requests", RegexOptions.CultureInvariant)]
    private static partial Regex VllmSampler { get; }

    [GeneratedRegex(@"Not enough memory\. Please try (?:to increas|increas)\w* --mem-fraction-static\.?(?: Current value: (?:self\.)?mem_fraction_static=(?<u>[\d.]*\d))?", RegexOptions.CultureInvariant)]
    private static partial Regex SglangStart { get; }

    [GeneratedRegex(@"max_total_tokens=(?<length>\d+) is larger than the profiled value (?<tokens>-\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex SglangPool { get; }

    [GeneratedRegex(@"Not enough memory to handle (?<batch>\d+) prefill tokens", RegexOptions.CultureInvariant)]
    private static partial Regex TgiPrefill { get; }

    [GeneratedRegex(@"model requires more system memory \((?<requested>" + Size + @")\) than is available \((?<free>" + Size + @")\)", RegexOptions.CultureInvariant)]
    private static partial Regex OllamaHost { get; }

    [GeneratedRegex(@"(?:(?:Prefill|Decode) out|Out) of memory\. Try to lower your batch size\.(?: Try to allocate (?<batch>\d+) tokens\.(?: Avail?iable (?:\w+ )?(?:tokens)?: (?<tokens>\d+))?)?|alloc_req_slots runs out of memory", RegexOptions.CultureInvariant)]
    private static partial Regex SglangTokens { get; }

    [GeneratedRegex(@"memory layout cannot be allocated(?: with num_gpu = \d+)?|you may not have enough (?:available )?memory to run this model", RegexOptions.CultureInvariant)]
    private static partial Regex OllamaLayout { get; }

    [GeneratedRegex(@"Model loading aborted due to insufficient system resources", RegexOptions.CultureInvariant)]
    private static partial Regex LmStudio { get; }

    [GeneratedRegex(@"Executor creation failed due to insufficient GPU memory", RegexOptions.CultureInvariant)]
    private static partial Regex TensorRtLlm { get; }

    [GeneratedRegex(@"Too large swap space\. (?<requested>" + Size + @") out of the (?<total>" + Size + @") total CPU memory", RegexOptions.CultureInvariant)]
    private static partial Regex VllmSwap { get; }

    /// <summary>Another process gave memory back while vLLM measured its own need.</summary>
    [GeneratedRegex(@"Error in memory profiling\. Initial (?:free )?memory \S+(?: ?GiB)?,? .{0,40}?current free memory", RegexOptions.CultureInvariant)]
    private static partial Regex VllmProfiling { get; }

    [GeneratedRegex(@"is preempted by PreemptionMode\.\w+(?: mode)? because there is not enough KV cache space", RegexOptions.CultureInvariant)]
    private static partial Regex VllmPreemption { get; }

    [GeneratedRegex(@"not enough space in the context's memory pool \(needed \d+, available \d+\)", RegexOptions.CultureInvariant)]
    private static partial Regex GgmlPool { get; }
}
