using System.Globalization;
using System.Text.RegularExpressions;

namespace Plimsoll.Planning.Calibration;

/// <summary>Load logs of llama.cpp of every age, of ik_llama.cpp and of the servers that embed them.</summary>
internal sealed partial class LlamaCppLogReader
{
    private readonly List<LoggedSize> sizes = [];
    private readonly Dictionary<string, string> settings = [];
    private readonly Dictionary<string, string> architecture = [];
    private bool sawContext;

    public bool Found => sizes.Any(size => size.Term != LogTerm.Context);

    [GeneratedRegex(@"(?<place>[A-Za-z][\w-]*(?:\[[^\]]*\])?)\s+(?<kind>model |KV |RS |output |compute )?\s*buffer size\s*=\s*(?<size>" + LogText.Number + @")\s*(?<unit>MiB|GiB|KiB|MB)", RegexOptions.CultureInvariant)]
    private static partial Regex Buffer { get; }

    [GeneratedRegex(@"KV self size\s*=\s*(?<size>" + LogText.Number + @")\s*MiB(?:,\s*(?<types>.*))?|llama_kv_cache\w*:\s+size\s*=\s*(?<size>" + LogText.Number + @")\s*MiB.*?\)?,\s*(?<types>K .*)", RegexOptions.CultureInvariant)]
    private static partial Regex CacheSize { get; }

    [GeneratedRegex(@"(?:print_info|print_meta|llama_context|llama_new_context_with_model|llama_init_from_model):\s*(?<name>[\w. ]+?)\s*=\s*(?<value>.+?)\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex Pair { get; }

    [GeneratedRegex(@"offloaded (?<on>\d{1,6})/(?<of>\d{1,6}) layers", RegexOptions.CultureInvariant)]
    private static partial Regex Offloaded { get; }

    [GeneratedRegex(@"Flash Attention was auto, set to (?<state>enabled|disabled)", RegexOptions.CultureInvariant)]
    private static partial Regex FlashChosen { get; }

    /// <summary><c>|   - CUDA0 (RTX 4090) | 24081 = 18000 + (5629 = 4455 + 544 + 630) + 452 |</c>: total = free + (own) + unaccounted, MiB.</summary>
    [GeneratedRegex(@"memory_breakdown_print:\s*\|\s*-\s*(?<place>\w+)[^|]*\|\s*\d+\s*=\s*\d+\s*\+\s*\([^)]*\)\s*\+\s*(?<size>\d+)\s*\|", RegexOptions.CultureInvariant)]
    private static partial Regex Breakdown { get; }

    public void Add(string line)
    {
        if (Buffer.Match(line) is { Success: true } buffer)
            AddBuffer(buffer);
        else if (CacheSize.Match(line) is { Success: true } cache)
            AddTypes(cache.Groups["types"].Value);
        else if (Offloaded.Match(line) is { Success: true } offloaded)
            AddOffloaded(offloaded);
        else if (FlashChosen.Match(line) is { Success: true } flash)
            settings["flash_attn"] = flash.Groups["state"].Value == "enabled" ? "1" : "0";
        else if (Breakdown.Match(line) is { Success: true } breakdown)
            AddSize(LogTerm.Context, breakdown.Groups["place"].Value, breakdown.Groups["size"].Value, "MiB", replace: true);
        else if (Pair.Match(line) is { Success: true } pair)
            AddPair(pair.Groups["name"].Value, pair.Groups["value"].Value);
    }

    /// <param name="processes">What nvidia-smi says of the process, pasted below the log.</param>
    public EngineLog ToLog(string path, IEnumerable<LoggedSize> processes) => new()
    {
        Path = path,
        Kind = EngineLogKind.LlamaCpp,
        Sizes = [.. sizes, .. processes],
        Settings = settings,
        Architecture = architecture,
    };

    private void AddBuffer(Match match)
    {
        var place = match.Groups["place"].Value;
        var term = match.Groups["kind"].Value.Trim() switch
        {
            "KV" => LogTerm.KvCache,
            "RS" => LogTerm.RecurrentState,
            "output" => LogTerm.Output,
            "compute" => LogTerm.Compute,
            _ => LogTerm.Weights,
        };
        if (term == LogTerm.Weights)
            BeginLoad();
        else
            sawContext = true;
        // A model has several buffers per device and a cache one per kind of layer; scratch is reserved anew instead.
        AddSize(term, place, match.Groups["size"].Value, match.Groups["unit"].Value, replace: term is LogTerm.Output or LogTerm.Compute);
    }

    private void AddSize(LogTerm term, string place, string number, string unit, bool replace)
    {
        if (LogText.Size(number, unit) is not { } size)
            return;
        if (replace)
            sizes.RemoveAll(old => old.Term == term && old.Place == place);
        sizes.Add(new(term, place, size.Bytes, size.Rounding));
    }

    /// <summary>Weights after a context belong to the next start; what was read before is of another run.</summary>
    private void BeginLoad()
    {
        if (!sawContext)
            return;
        sawContext = false;
        sizes.Clear();
        settings.Remove("kv_types");
    }

    private void AddTypes(string types)
    {
        sawContext = true;
        if (types.Length > 0)
            settings.TryAdd("kv_types", types.Trim());
    }

    private void AddOffloaded(Match match)
    {
        BeginLoad();
        settings["offloaded_layers"] = string.Create(CultureInfo.InvariantCulture, $"{match.Groups["on"].Value}/{match.Groups["of"].Value}");
    }

    private void AddPair(string name, string value)
    {
        if (name is "n_ctx" or "n_batch" or "n_ubatch" or "n_seq_max" or "mla_attn" or "attn_max_b" or "fused_moe")
            settings[name == "mla_attn" ? "mla" : name] = value;
        else if (name == "flash_attn" && value is "0" or "1" or "enabled" or "disabled")
            settings[name] = value is "1" or "enabled" ? "1" : "0";
        else if (name is "arch" or "n_layer" or "n_embd" or "n_head" or "n_head_kv" or "n_embd_head_k" or "n_embd_head_v" or "n_embd_k_gqa" or "n_embd_v_gqa" or "n_ff" or "n_expert" or "n_expert_used" or "n_vocab" or "n_lora_kv" or "n_lora_q" or "n_ff_exp" or "n_ctx_train" or "n_swa")
            architecture[name] = value;
        else if (name is "model size" or "file size")
            settings["file_size"] = value;
        else if (name is "model ftype" or "file type")
            settings["quant"] = value;
        else if (name == "general.name")
            settings["model"] = value;
    }
}
