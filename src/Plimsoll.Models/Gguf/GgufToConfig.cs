using System.Text.Json;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Models.Gguf;

/// <summary>The <c>config.json</c> that corresponds to the keys of a GGUF file, for the architectures whose tensors follow from them.</summary>
internal static class GgufToConfig
{
    /// <summary>llama.cpp's name of an architecture and Hugging Face's.</summary>
    private static readonly Dictionary<string, string> ModelTypes = new(StringComparer.Ordinal)
    {
        ["llama"] = "llama",
        ["qwen2"] = "qwen2",
        ["qwen2moe"] = "qwen2_moe",
        ["qwen3"] = "qwen3",
        ["qwen3moe"] = "qwen3_moe",
        ["qwen3next"] = "qwen3_next",
        ["qwen35"] = "qwen3_5_text",
        ["qwen35moe"] = "qwen3_5_moe_text",
        ["gemma"] = "gemma",
        ["gemma2"] = "gemma2",
        ["gemma3"] = "gemma3_text",
        ["phi2"] = "phi",
        ["phi3"] = "phi3",
        ["deepseek"] = "deepseek",
        ["deepseek2"] = "deepseek_v3",
        ["glm4"] = "glm4",
        ["glm4moe"] = "glm4_moe",
        ["gpt-oss"] = "gpt_oss",
        ["command-r"] = "cohere",
        ["cohere2"] = "cohere2",
        ["olmo2"] = "olmo2",
        ["starcoder2"] = "starcoder2",
        ["stablelm"] = "stablelm",
        ["granite"] = "granite",
        ["minimax-m2"] = "minimax_m2",
        ["seed_oss"] = "seed_oss",
        ["smollm3"] = "smollm3",
        ["gptneox"] = "gpt_neox",
        ["falcon"] = "falcon",
    };

    /// <summary>The configuration; null when the architecture has no counterpart here, or its layers differ from each other.</summary>
    public static ModelConfig? Create(GgufFacts facts, int vocabulary, bool tied)
    {
        if (!ModelTypes.TryGetValue(facts.Architecture, out var modelType) || !IsUniform(facts))
            return null;
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("model_type", modelType == "llama" && facts.Count("expert_count") > 0 ? "mixtral" : modelType);
            WriteDecoder(writer, facts, vocabulary, tied);
            WriteExperts(writer, facts);
            WriteLatent(writer, facts);
            WriteDelta(writer, facts);
            writer.WriteEndObject();
        }
        return ModelConfig.Parse(facts.Path, buffer.ToArray());
    }

    private static bool IsUniform(GgufFacts facts) =>
        facts.Heads.All(heads => heads == facts.Heads[0]) && facts.KeyValueHeads.All(heads => heads == facts.KeyValueHeads[0]) && facts.FeedForward.All(width => width == facts.FeedForward[0]);

    private static void WriteDecoder(Utf8JsonWriter writer, GgufFacts facts, int vocabulary, bool tied)
    {
        writer.WriteNumber("hidden_size", facts.Hidden);
        writer.WriteNumber("num_hidden_layers", facts.Layers);
        writer.WriteNumber("num_attention_heads", facts.Heads[0]);
        writer.WriteNumber("num_key_value_heads", facts.KeyValueHeads[0]);
        if (facts.KeyLength > 0)
            writer.WriteNumber("head_dim", facts.KeyLength);
        writer.WriteNumber("intermediate_size", facts.FeedForward[0]);
        writer.WriteNumber("vocab_size", vocabulary);
        writer.WriteBoolean("tie_word_embeddings", tied);
        Number(writer, "max_position_embeddings", facts.Tokens("context_length"));
        Number(writer, "num_nextn_predict_layers", facts.NextToken == 0 ? null : facts.NextToken);
        Number(writer, "full_attention_interval", facts.Count("full_attention_interval"));
    }

    private static void WriteExperts(Utf8JsonWriter writer, GgufFacts facts)
    {
        if (facts.Count("expert_count") is not { } experts || experts == 0)
            return;
        var width = facts.Width("expert_feed_forward_length");
        writer.WriteNumber("num_experts", experts);
        writer.WriteNumber("num_local_experts", experts);
        writer.WriteNumber("n_routed_experts", experts);
        writer.WriteNumber("num_experts_per_tok", facts.Count("expert_used_count") ?? 0);
        Number(writer, "moe_intermediate_size", width ?? facts.FeedForward[0]);
        Number(writer, "first_k_dense_replace", facts.Count("leading_dense_block_count"));
        // DeepSeek and GLM have one shared expert unless stated; Qwen states a width.
        writer.WriteNumber("n_shared_experts", facts.Count("expert_shared_count") ?? (facts.Architecture is "deepseek2" or "glm4moe" ? 1 : 0));
        Number(writer, "shared_expert_intermediate_size", facts.Width("expert_shared_feed_forward_length") ?? width);
    }

    private static void WriteLatent(Utf8JsonWriter writer, GgufFacts facts)
    {
        if (facts.Width("attention.kv_lora_rank") is not { } rank || rank == 0)
            return;
        var compressed = facts.KeyLength > rank;
        var rope = facts.Width("rope.dimension_count") ?? (compressed ? facts.KeyLength - rank : 64);
        var key = facts.Width("attention.key_length_mla") ?? (compressed ? 128 + rope : facts.KeyLength);
        writer.WriteNumber("kv_lora_rank", rank);
        writer.WriteNumber("qk_rope_head_dim", rope);
        writer.WriteNumber("qk_nope_head_dim", Math.Max(0, key - rope));
        writer.WriteNumber("v_head_dim", facts.Width("attention.value_length_mla") ?? (compressed ? 128 : facts.ValueLength));
        // Every large DeepSeek and Kimi compresses the queries to 1536; the lite ones do not compress them.
        Number(writer, "q_lora_rank", facts.Width("attention.q_lora_rank") ?? (facts.Heads[0] >= 64 ? 1536 : null));
    }

    private static void WriteDelta(Utf8JsonWriter writer, GgufFacts facts)
    {
        if (facts.Width("ssm.state_size") is not { } state || state == 0 || facts.Width("ssm.inner_size") is not { } inner)
            return;
        writer.WriteNumber("linear_key_head_dim", state);
        writer.WriteNumber("linear_value_head_dim", state);
        writer.WriteNumber("linear_num_value_heads", inner / state);
        Number(writer, "linear_num_key_heads", facts.Count("ssm.group_count"));
        Number(writer, "linear_conv_kernel_dim", facts.Count("ssm.conv_kernel"));
        if (facts.NextToken > 0)
            writer.WriteNumber("mtp_num_hidden_layers", facts.NextToken);
    }

    private static void Number(Utf8JsonWriter writer, string name, int? value)
    {
        if (value is { } number)
            writer.WriteNumber(name, number);
    }
}
