#:project ../../src/Plimsoll.Models/Plimsoll.Models.csproj
#:property PublishAot=false
#:property IsAotCompatible=false
#:property IsPackable=false

// Compiles catalog/models.json:
//   dotnet run tools/model-catalog/compile-model-catalog.cs -- FACTS.json tools/model-catalog/known.json catalog/models.json
// FACTS.json is a collection of configurations gathered from public repositories (id → source, kind, raw values); it is not part of this repository.
// An entry is kept only if it builds to a shape whose parameter count agrees with the exact count of known.json, or with the stated count of FACTS
// within 3 %, or with the size in its name within 25 % (names round: gemma-7b has 8.5 billion). Everything else is reported and dropped.
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Models;
using Plimsoll.Models.Catalog;

if (args is not [var factsPath, var knownPath, var outputPath])
{
    Console.Error.WriteLine("usage: dotnet run compile-model-catalog.cs -- FACTS.json KNOWN.json OUT.json");
    return 2;
}

var entries = new List<Entry>();
var rejected = new List<string>();
ReadKnown(knownPath);
ReadFacts(factsPath);
Write(outputPath);
foreach (var line in rejected)
    Console.Error.WriteLine(line);
Console.Error.WriteLine($"{entries.Count} models kept, {rejected.Count} dropped");
return 0;

void ReadKnown(string path)
{
    var root = JsonNode.Parse(File.ReadAllText(path))!;
    foreach (var group in root["groups"]!.AsArray())
    {
        foreach (var model in group!["models"]!.AsArray())
        {
            var id = (string)model!["id"]!;
            var config = new JsonObject();
            Merge(config, group["config"]);
            if (model["size"] is JsonArray size)
                Merge(config, Size(size));
            Merge(config, model["config"]);
            var source = (string?)model["source"] ?? (string?)group["source"] ?? $"published config.json of {id}";
            var aliases = model["aliases"]?.AsArray().Select(alias => (string)alias!).ToList() ?? [];
            Consider(new(id, aliases, source, config), (long?)model["parameters"], (double?)model["billions"]);
        }
    }
}

static JsonObject Size(JsonArray size)
{
    string[] names = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "vocab_size", "max_position_embeddings"];
    var config = new JsonObject();
    for (var index = 0; index < names.Length; index++)
        config[names[index]] = (long)size[index]!;
    return config;
}

void ReadFacts(string path)
{
    // Python writes Infinity, which is not JSON; no shape depends on such a value.
    var root = JsonNode.Parse(Regex.Replace(File.ReadAllText(path), @"-?\bInfinity\b", "null"))!.AsObject();
    var stated = JsonNode.Parse(File.ReadAllText(knownPath))!["facts"]!.AsObject();
    foreach (var (name, fact) in root)
    {
        var more = stated[name];
        var id = (string?)more?["id"] ?? name;
        var kind = (string)fact!["kind"]!;
        var isConfig = kind.StartsWith("raw HF config", StringComparison.Ordinal) || kind == "HF-style config in MLC preset";
        if (!isConfig || id.StartsWith("mlc-preset/", StringComparison.Ordinal) || id.EndsWith('?') || KnownNames.Contains(entries, id))
            continue;
        var source = (string)fact["source"]!;
        // A rename without a count is compared with the size in its name.
        var billions = (double?)more?["billions"] ?? (more is null && fact["total_params_b_stated"]?["value"] is JsonValue value ? value.GetValue<double>() : null);
        Consider(new(id, [], source, Reduce(fact["raw"]!.AsObject())), null, billions);
    }
}

void Consider(Entry entry, long? exact, double? stated)
{
    try
    {
        var config = ModelConfig.Parse(entry.Id, Encoding.UTF8.GetBytes(entry.Config.ToJsonString()));
        var shape = ModelShapeReader.FromConfig(config, entry.Id, "catalog");
        var trunk = shape.Tensors.Where(tensor => tensor.Role is not TensorRole.NextToken).Sum(tensor => tensor.Elements);
        if (Disagreement(entry.Id, shape.Parameters, trunk, exact, stated) is { } reason)
            rejected.Add($"{entry.Id} ({shape.Architecture}): {reason}");
        else
            entries.Add(entry);
    }
    catch (Exception failure) when (failure is UnknownArchitectureException or CheckpointFormatException)
    {
        rejected.Add($"{entry.Id}: {failure.Message}");
    }
}

static string? Disagreement(string id, long parameters, long trunk, long? exact, double? stated)
{
    if (exact is { } count)
        return count == parameters ? null : $"built {parameters:N0} (without MTP {trunk:N0}) parameters, published {count:N0}, difference {parameters - count:N0}";
    if (stated is { } billions)
        return Near(parameters, billions, 0.03) || Near(trunk, billions, 0.03) ? null : $"built {parameters:N0} parameters, stated {billions} billion";
    var name = Regex.Match(id[(id.IndexOf('/') + 1)..], @"(?<![\w.])(\d+(?:\.\d+)?)([bBmM])(?![a-zA-Z0-9])");
    if (!name.Success)
        return $"built {parameters:N0} parameters, nothing to compare with";
    var size = double.Parse(name.Groups[1].Value, CultureInfo.InvariantCulture) * (name.Groups[2].Value is "m" or "M" ? 1e-3 : 1);
    return Near(parameters, size, 0.25) ? null : $"built {parameters:N0} parameters, the name says {name.Value}";
}

static bool Near(long parameters, double billions, double tolerance) => Math.Abs(parameters / 1e9 / billions - 1) <= tolerance;

static void Merge(JsonObject target, JsonNode? more)
{
    foreach (var (key, value) in more?.AsObject() ?? [])
        target[key] = value?.DeepClone();
}

// What no shape depends on.
static JsonObject Reduce(JsonObject config)
{
    string[] needless =
    [
        "architectures", "auto_map", "transformers_version", "torch_dtype", "dtype", "quantization_config", "hidden_act", "hidden_activation", "initializer_range", "rms_norm_eps",
        "rope_theta", "rope_scaling", "rope_parameters", "rope_interleave", "use_cache", "bos_token_id", "eos_token_id", "pad_token_id", "attention_dropout", "output_router_logits",
        "router_aux_loss_coef", "norm_topk_prob", "topk_group", "n_group", "routed_scaling_factor", "scoring_func", "aux_loss_alpha", "seq_aux", "ep_size", "pretraining_tp",
        "rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "partial_rotary_factor", "rotary_dim", "index_topk", "indexer_rope_interleave", "swiglu_limit", "swiglu_alpha",
        "image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id", "boi_token_index", "eoi_token_index", "audio_token_id", "tokenizer_class",
        "attn_pdrop", "embd_pdrop", "resid_pdrop", "scale_attn_weights", "activation_function", "mlp_layers_to_use", "attention_bias_value", "query_pre_attn_scalar",
    ];
    var kept = new JsonObject();
    foreach (var (key, value) in config)
    {
        if (value is null ? key is "sliding_window" or "q_lora_rank" : !needless.Contains(key))
            kept[key] = value is JsonObject nested ? Reduce(nested) : value?.DeepClone();
    }
    return kept;
}

void Write(string path)
{
    var options = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    var precisions = JsonNode.Parse(File.ReadAllText(knownPath))!["published_precisions"]!.AsObject();
    var text = new StringBuilder("{\n  \"schema\": \"plimsoll.model-catalog/1\",\n  \"models\": [\n");
    var lines = entries.OrderBy(entry => entry.Id, StringComparer.OrdinalIgnoreCase).Select(entry =>
    {
        var line = new JsonObject { ["id"] = entry.Id };
        if (entry.Aliases.Count > 0)
            line["aliases"] = new JsonArray([.. entry.Aliases.Select(alias => (JsonNode)alias)]);
        line["source"] = entry.Source;
        var config = entry.Config.DeepClone();
        if (precisions[entry.Id] is JsonObject quantization)
            config["quantization_config"] = quantization.DeepClone();
        else if (precisions[entry.Id] is { } precision)
            line["precision"] = precision.DeepClone();
        line["config"] = config;
        return "    " + line.ToJsonString(options);
    });
    text.AppendJoin(",\n", lines).Append("\n  ]\n}\n");
    File.WriteAllText(path, text.ToString());
}

internal sealed record Entry(string Id, List<string> Aliases, string Source, JsonObject Config);

/// <summary>The entries so far, searched with the product's own matching of names.</summary>
internal static class KnownNames
{
    public static bool Contains(IEnumerable<Entry> entries, string name)
    {
        var models = entries.Select(entry => (JsonNode)new JsonObject
        {
            ["id"] = entry.Id,
            ["aliases"] = new JsonArray([.. entry.Aliases.Select(alias => (JsonNode)alias)]),
            ["source"] = "",
            ["config"] = new JsonObject(),
        });
        var text = new JsonObject { ["schema"] = "plimsoll.model-catalog/1", ["models"] = new JsonArray([.. models]) }.ToJsonString();
        return ModelCatalog.Load(new MemoryStream(Encoding.UTF8.GetBytes(text)), "names").Find(name) is not null;
    }
}
