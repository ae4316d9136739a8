using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models.Configuration;

namespace Plimsoll.Models.Gguf;

/// <summary>Turns what llama.cpp prints about a model (<c>n_layer</c>, <c>n_embd_head_k</c>, …), or the shorter words of launchers, back into the keys of the file.</summary>
internal static class LlamaCppPrint
{
    private static readonly Dictionary<string, string> Keys = new(StringComparer.Ordinal)
    {
        ["n_layer"] = "block_count",
        ["layers"] = "block_count",
        ["block_count"] = "block_count",
        ["n_embd"] = "embedding_length",
        ["embedding_length"] = "embedding_length",
        ["hidden"] = "embedding_length",
        ["n_head"] = "attention.head_count",
        ["heads"] = "attention.head_count",
        ["n_head_kv"] = "attention.head_count_kv",
        ["kv_heads"] = "attention.head_count_kv",
        ["kv_heads_per_layer"] = "attention.head_count_kv",
        ["n_embd_head_k"] = "attention.key_length",
        ["n_embd_head_v"] = "attention.value_length",
        ["key_length"] = "attention.key_length",
        ["value_length"] = "attention.value_length",
        ["n_embd_head_k_mla"] = "attention.key_length_mla",
        ["n_embd_head_v_mla"] = "attention.value_length_mla",
        ["n_rot"] = "rope.dimension_count",
        ["n_lora_kv"] = "attention.kv_lora_rank",
        ["kv_lora_rank"] = "attention.kv_lora_rank",
        ["n_lora_q"] = "attention.q_lora_rank",
        ["n_swa"] = "attention.sliding_window",
        ["window"] = "attention.sliding_window",
        ["n_swa_pattern"] = "attention.sliding_window_pattern",
        ["shared_kv_layers"] = "attention.shared_kv_layers",
        ["head_dim_swa"] = "attention.key_length_swa",
        ["n_ff"] = "feed_forward_length",
        ["ffn"] = "feed_forward_length",
        ["n_ff_exp"] = "expert_feed_forward_length",
        ["ffn_expert"] = "expert_feed_forward_length",
        ["n_ff_shexp"] = "expert_shared_feed_forward_length",
        ["n_expert"] = "expert_count",
        ["experts"] = "expert_count",
        ["n_expert_used"] = "expert_used_count",
        ["experts_used"] = "expert_used_count",
        ["n_expert_shared"] = "expert_shared_count",
        ["n_layer_dense_lead"] = "leading_dense_block_count",
        ["n_moe_layer_step"] = "interleave_moe_layer_step",
        ["n_vocab"] = "vocab_size",
        ["vocab"] = "vocab_size",
        ["n_ctx_train"] = "context_length",
        ["full_attention_interval"] = "full_attention_interval",
        ["nextn_predict_layers"] = "nextn_predict_layers",
        ["ssm_d_conv"] = "ssm.conv_kernel",
        ["ssm_d_inner"] = "ssm.inner_size",
        ["ssm_d_state"] = "ssm.state_size",
        ["ssm_dt_rank"] = "ssm.time_step_rank",
        ["ssm_n_group"] = "ssm.group_count",
        ["shortconv_l_cache"] = "shortconv.l_cache",
        ["l_cache"] = "shortconv.l_cache",
    };

    /// <exception cref="UnknownArchitectureException">The object names no architecture.</exception>
    /// <exception cref="CheckpointFormatException">A value is neither a number nor a list of numbers.</exception>
    public static GgufMetadata Read(JsonElement print, string id)
    {
        var architecture = print.ValueKind == JsonValueKind.Object && print.TryGetProperty("arch", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString()! : "";
        if (architecture.Length == 0)
            throw new UnknownArchitectureException(id, "the printed facts name no architecture", null);
        var values = new Dictionary<string, object>(StringComparer.Ordinal) { ["general.architecture"] = architecture };
        foreach (var property in print.EnumerateObject())
            Add(values, architecture, property, id);
        AddUnprinted(values, architecture);
        return new($"the printed facts of {id}", values);
    }

    /// <summary>Short extracts of a log leave out how many layers are dense and how many experts shared; the number of experts tells which published model it is.</summary>
    private static void AddUnprinted(Dictionary<string, object> values, string architecture)
    {
        if (architecture != "deepseek2" || values.GetValueOrDefault("deepseek2.expert_count") is not long experts)
            return;
        // V3 and R1: 256 experts, 3 dense layers, 1 shared. Kimi K2: 384, 1, 1. V2 and its lite versions: 160 or 64, 1, 2.
        values.TryAdd("deepseek2.leading_dense_block_count", experts == 256 ? 3L : 1L);
        values.TryAdd("deepseek2.expert_shared_count", experts >= 256 ? 1L : 2L);
    }

    private static void Add(Dictionary<string, object> values, string architecture, JsonProperty property, string id)
    {
        switch (property.Name)
        {
            case "head_dim" or "head_dim_global":
                values.TryAdd($"{architecture}.attention.key_length", Value(property, id));
                values.TryAdd($"{architecture}.attention.value_length", Value(property, id));
                break;
            case "ssm" when property.Value.ValueKind == JsonValueKind.Object:
                foreach (var part in property.Value.EnumerateObject())
                    values[$"{architecture}.ssm.{Ssm(part.Name)}"] = Value(part, id);
                break;
            case "sliding_window_pattern" when property.Value.ValueKind == JsonValueKind.String && property.Value.GetString()!.Split(':') is [var sliding, "1"] && long.TryParse(sliding, CultureInfo.InvariantCulture, out var count):
                // "5:1": five sliding layers, then a full one.
                values[$"{architecture}.attention.sliding_window_pattern"] = count + 1;
                break;
            case "layers" when property.Value.ValueKind == JsonValueKind.String && property.Value.GetString()!.Contains('+'):
                AddLayers(values, architecture, property, id);
                break;
            default:
                // llama.cpp prints zero for what the architecture has not.
                if (Keys.TryGetValue(property.Name, out var key) && Value(property, id) is var value and not 0L)
                    values[$"{architecture}.{key}"] = value;
                break;
        }
    }

    private static string Ssm(string name) => name switch
    {
        "conv" => "conv_kernel",
        "inner" => "inner_size",
        "state" => "state_size",
        "groups" => "group_count",
        _ => name,
    };

    /// <summary><c>64 + 1 MTP</c>: 65 blocks in the file, the last for next-token prediction.</summary>
    private static void AddLayers(Dictionary<string, object> values, string architecture, JsonProperty property, string id)
    {
        var parts = property.Value.GetString()!.Split('+', StringSplitOptions.TrimEntries);
        var counts = parts.Select(part => part.Split(' ')[0]).ToList();
        if (counts.Count != 2 || !long.TryParse(counts[0], CultureInfo.InvariantCulture, out var layers) || !long.TryParse(counts[1], CultureInfo.InvariantCulture, out var nextToken))
            throw Bad(property, id);
        values[$"{architecture}.block_count"] = layers + nextToken;
        values[$"{architecture}.nextn_predict_layers"] = nextToken;
    }

    private static object Value(JsonProperty property, string id)
    {
        switch (property.Value.ValueKind)
        {
            case JsonValueKind.Number when property.Value.TryGetInt64(out var number):
                return number;
            case JsonValueKind.True or JsonValueKind.False:
                return property.Value.GetBoolean() ? 1L : 0L;
            case JsonValueKind.Array:
                return property.Value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out var number) ? number : throw Bad(property, id)).ToImmutableArray();
            case JsonValueKind.String:
                return Text(property.Value.GetString()!.Trim()) ?? throw Bad(property, id);
            default:
                throw Bad(property, id);
        }
    }

    /// <summary>A number, a list as llama.cpp prints it (<c>[8, 8, 0, 8]</c>), or a repeated one (<c>(8,8,8,8,8,1)*8</c>).</summary>
    private static object? Text(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var single))
            return single;
        if (text is ['(', .. var repeated] && repeated.Split(")*") is [var once, var times] && int.TryParse(times, CultureInfo.InvariantCulture, out var repeats) && repeats is > 0 and <= ConfigReader.MaxCount)
            return Text($"[{string.Join(',', Enumerable.Repeat(once, repeats))}]");
        if (text is not ['[', .. var inside, ']'])
            return null;
        var numbers = ImmutableArray.CreateBuilder<long>();
        foreach (var part in inside.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!long.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
                return null;
            numbers.Add(number);
        }
        return numbers.ToImmutable();
    }

    private static CheckpointFormatException Bad(JsonProperty property, string id) =>
        new($"the printed facts of {id}", null, $"{property.Name} to be a number or a list of numbers", property.Value.GetRawText() is { Length: <= 60 } text ? text : "a longer text");
}
