using System.CommandLine;

namespace Plimsoll.Cli.Plan;

/// <summary>The options that describe an inference run; <c>plan</c> and <c>gpus MODEL</c> share them.</summary>
internal static class PlanOptions
{
    public static readonly Option<string?> Precision = new("--precision", "-p") { Description = "bf16, int8, int4, q4_k_m, awq, gptq:4bit-g128, nf4, fp8:block128 …; as stored when left out" };
    public static readonly Option<string?> KvPrecision = new("--kv-precision") { Description = "precision of the KV cache: f16, fp8, q8_0, or keys/values as q8_0/f16" };
    public static readonly Option<long?> Context = OptionValues.Tokens("--context", "tokens of one sequence, prompt and answer together (8192, 32k); default 8192 or the model's limit");
    public static readonly Option<long?> Prompt = OptionValues.Tokens("--prompt", "tokens of the prompt that is processed at once; default: the whole context");
    public static readonly Option<int?> Batch = OptionValues.Count("--batch", "sequences at the same time", maximum: 65_536);
    public static readonly Option<string?> Engine = new("--engine", "-e") { Description = "transformers, llama.cpp, vllm, ik_llama.cpp, litgpt, plimsoll; with a version as vllm@0.8" };
    public static readonly Option<string?> Parallel = new("--parallel") { Description = "how several GPUs share the model: tp=2,pp=1,ep=1" };
    public static readonly Option<bool> Eager = new("--no-flash-attention") { Description = "attention that materializes its scores" };
    public static readonly Option<string?> Assume = new("--assume") { Description = "plan an unknown architecture as this one (low confidence)" };
    public static readonly Option<string?> Catalog = new("--catalog") { Description = "a JSON file with more models or GPUs" };
    public static readonly Option<bool> Offline = new("--offline") { Description = "no network: only local files, the cache and the catalog" };
    public static readonly Option<string?> Draft = new("--draft") { Description = "a draft model for speculative decoding, on the same GPUs" };

    public static readonly Option<int?> GpuLayers = OptionValues.Count("--gpu-layers", "llama.cpp: layers on the GPU (-ngl)", minimum: 0, maximum: 100_000);
    public static readonly Option<int?> CpuExperts = OptionValues.Count("--n-cpu-moe", "llama.cpp: layers whose experts stay in RAM", minimum: 0, maximum: 100_000);
    public static readonly Option<int?> MicroBatch = OptionValues.Count("--ubatch", "llama.cpp: tokens computed at once (-ub)", maximum: 65_536);
    public static readonly Option<int?> DraftTokens = OptionValues.Count("--draft-tokens", "llama.cpp: tokens drafted ahead (the model's own MTP layers)", minimum: 0, maximum: 64);
    public static readonly Option<bool> SplitKv = new("--no-kv-unified") { Description = "llama.cpp: a cache of its own for every slot" };
    public static readonly Option<bool> FullWindow = new("--swa-full") { Description = "llama.cpp: the whole context in sliding-window layers" };
    public static readonly Option<string?> TensorSplit = new("--tensor-split") { Description = "llama.cpp: shares of the GPUs, as 3,1" };

    public static readonly Option<double?> Utilization = new("--utilization") { Description = "vLLM: fraction of the card it may use" };
    public static readonly Option<int?> BatchedTokens = OptionValues.Count("--max-batched-tokens", "vLLM: tokens of one forward pass");
    public static readonly Option<int?> MaxSequences = OptionValues.Count("--max-sequences", "vLLM: sequences of one forward pass", maximum: 65_536);
    public static readonly Option<bool> EnforceEager = new("--enforce-eager") { Description = "vLLM: no CUDA graphs" };

    public static IEnumerable<Option> All =>
    [
        Precision, KvPrecision, Context, Prompt, Batch, Engine, Parallel, Eager, Draft, Assume, Catalog, Offline,
        GpuLayers, CpuExperts, MicroBatch, DraftTokens, SplitKv, FullWindow, TensorSplit, Utilization, BatchedTokens, MaxSequences, EnforceEager,
    ];
}
