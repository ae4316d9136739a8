using System.Text.RegularExpressions;

namespace Plimsoll.Planning.Calibration;

/// <summary>Start-up logs of vLLM 0.4 and later. Every rank prints its own figures.</summary>
internal sealed partial class VllmLogReader
{
    private readonly List<LoggedSize> sizes = [];
    private readonly Dictionary<string, string> settings = [];

    public bool Found => sizes.Count > 0 || settings.ContainsKey("kv_tokens") || settings.ContainsKey("kv_blocks");

    /// <summary>Versions to 0.6 write GB where they divide by 2^30.</summary>
    [GeneratedRegex(@"(?:Loading model weights took|Model loading took|model weights take)\s+(?<size>" + LogText.Number + @")\s*(?<unit>Gi?B)", RegexOptions.CultureInvariant)]
    private static partial Regex Weights { get; }

    [GeneratedRegex(@"non_torch_memory takes\s+(?<size>" + LogText.Number + @")\s*(?<unit>Gi?B)", RegexOptions.CultureInvariant)]
    private static partial Regex NonTorch { get; }

    [GeneratedRegex(@"PyTorch activation peak memory takes\s+(?<size>" + LogText.Number + @")\s*(?<unit>Gi?B)", RegexOptions.CultureInvariant)]
    private static partial Regex Activations { get; }

    [GeneratedRegex(@"(?:reserved for KV Cache is|Available KV cache memory:)\s+(?<size>" + LogText.Number + @")\s*(?<unit>Gi?B)", RegexOptions.CultureInvariant)]
    private static partial Regex Pool { get; }

    [GeneratedRegex(@"Graph capturing finished in .{1,40}?took\s+(?<size>" + LogText.Number + @")\s*(?<unit>Gi?B)", RegexOptions.CultureInvariant)]
    private static partial Regex Graphs { get; }

    [GeneratedRegex(@"GPU KV cache size:\s+(?<count>[\d,.]+) tokens", RegexOptions.CultureInvariant)]
    private static partial Regex Tokens { get; }

    [GeneratedRegex(@"# (?:GPU|CUDA|cuda) blocks:\s+(?<count>[\d,]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Blocks { get; }

    [GeneratedRegex(@"(?:total_gpu_memory|total memory)\s*\((?<size>" + LogText.Number + @")\s*(?<unit>Gi?B)\) x gpu_memory_utilization\s*\((?<share>[\d.,]+)\)", RegexOptions.CultureInvariant)]
    private static partial Regex Share { get; }

    [GeneratedRegex(@"LLM engine \(v(?<version>\d+(?:\.\d+)+)", RegexOptions.CultureInvariant)]
    private static partial Regex Version { get; }

    [GeneratedRegex(@"\b(?<name>tensor_parallel_size|max_seq_len|max_model_len|enforce_eager|kv_cache_dtype|max_num_batched_tokens|max_num_seqs|gpu_memory_utilization|block_size)'?\s*[=:]\s*'?(?<value>[\w.]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Option { get; }

    [GeneratedRegex(@"\b(?:rank[= ]|Worker_?TP)(?<rank>\d{1,4})", RegexOptions.CultureInvariant)]
    private static partial Regex Rank { get; }

    public void Add(string line)
    {
        AddSize(line, Weights, LogTerm.Weights);
        AddSize(line, NonTorch, LogTerm.Context);
        AddSize(line, Activations, LogTerm.ActivationPeak);
        AddSize(line, Pool, LogTerm.KvCache);
        AddSize(line, Graphs, LogTerm.Graphs);
        if (Tokens.Match(line) is { Success: true } tokens)
            settings["kv_tokens"] = LogText.Digits(tokens.Groups["count"].Value);
        if (Blocks.Match(line) is { Success: true } blocks)
            settings["kv_blocks"] = LogText.Digits(blocks.Groups["count"].Value);
        if (Version.Match(line) is { Success: true } version)
            settings["version"] = version.Groups["version"].Value;
        if (Share.Match(line) is { Success: true } share)
            settings["gpu_memory_utilization"] = share.Groups["share"].Value.TrimEnd('.').Replace(',', '.');
        foreach (Match option in Option.Matches(line))
            AddOption(option.Groups["name"].Value, option.Groups["value"].Value.TrimEnd('.'));
    }

    public EngineLog ToLog(string path) => new() { Path = path, Kind = EngineLogKind.Vllm, Sizes = [.. sizes], Settings = settings };

    /// <summary>The last figure of a rank counts: what is printed again comes from a restart, or from a finer account.</summary>
    private void AddSize(string line, Regex pattern, LogTerm term)
    {
        if (pattern.Match(line) is not { Success: true } match || LogText.Size(match.Groups["size"].Value, match.Groups["unit"].Value) is not { } size)
            return;
        var place = Rank.Match(line) is { Success: true } rank ? rank.Groups["rank"].Value : "0";
        sizes.RemoveAll(old => old.Term == term && old.Place == place);
        sizes.Add(new(term, place, size.Bytes, size.Rounding));
    }

    private void AddOption(string name, string value)
    {
        if (value is "None" or "auto")
            return;
        settings[name switch { "tensor_parallel_size" => "tp", "max_seq_len" => "max_model_len", _ => name }] = value;
    }
}
