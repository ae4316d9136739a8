using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;

namespace Plimsoll.Quantization.HuggingFace.FromGguf;

/// <summary>The <c>config.json</c> that the metadata of a GGUF file stands for, for the architectures where every setting follows from it.</summary>
/// <remarks>The reverse of llama.cpp's conversion/llama.py and conversion/qwen.py. What cannot be told from the file is refused, not left out.</remarks>
internal sealed class GgufModelConfig
{
    /// <summary>llama.cpp's architecture, Hugging Face's model type, and the class of transformers.</summary>
    private static readonly (string Architecture, bool HasExperts, string ModelType, string Class)[] Known =
    [
        ("llama", false, "llama", "LlamaForCausalLM"), ("llama", true, "mixtral", "MixtralForCausalLM"), ("qwen2", false, "qwen2", "Qwen2ForCausalLM"),
        ("qwen3", false, "qwen3", "Qwen3ForCausalLM"), ("qwen3moe", true, "qwen3_moe", "Qwen3MoeForCausalLM"),
    ];

    private readonly GgufMetadata metadata;
    private readonly Checkpoint checkpoint;
    private readonly WeightReader reader;
    private readonly string architecture;

    private GgufModelConfig(GgufMetadata metadata, Checkpoint checkpoint, WeightReader reader)
    {
        (this.metadata, this.checkpoint, this.reader) = (metadata, checkpoint, reader);
        architecture = metadata.String("general.architecture") ?? throw Missing("general.architecture");
    }

    /// <exception cref="QuantizationRefusedException">The architecture is none of these, or has a setting that has no place in the configuration.</exception>
    /// <exception cref="CheckpointFormatException">A key is missing.</exception>
    public static byte[] Write(GgufMetadata metadata, Checkpoint checkpoint, WeightReader reader) => new GgufModelConfig(metadata, checkpoint, reader).Write();

    private byte[] Write()
    {
        var experts = Integer("expert_count") ?? 0;
        var known = Known.FirstOrDefault(entry => entry.Architecture == architecture && entry.HasExperts == experts > 0);
        if (known.ModelType is null)
        {
            throw new QuantizationRefusedException(
                $"{checkpoint.Path} is a GGUF file of '{architecture}'{(experts > 0 ? " with experts" : "")}; only those of {string.Join(", ", Known.Select(entry => entry.Architecture).Distinct())} can be written for Hugging Face. Convert the original checkpoint");
        }
        return JsonText.Write(json =>
        {
            json.WriteStartArray("architectures");
            json.WriteStringValue(known.Class);
            json.WriteEndArray();
            json.WriteString("model_type", known.ModelType);
            WriteSizes(json);
            WriteRope(json);
            WriteFeatures(json);
            if (experts > 0)
                WriteExperts(json, experts);
            WriteTokens(json);
            json.WriteString("torch_dtype", ElementType());
        });
    }

    private void WriteSizes(Utf8JsonWriter json)
    {
        var (hidden, heads) = (Required("embedding_length"), Required("attention.head_count"));
        json.WriteNumber("hidden_size", hidden);
        json.WriteNumber("intermediate_size", Required("feed_forward_length"));
        json.WriteNumber("num_hidden_layers", Required("block_count"));
        json.WriteNumber("num_attention_heads", heads);
        json.WriteNumber("num_key_value_heads", Integer("attention.head_count_kv") ?? heads);
        json.WriteNumber("head_dim", Integer("attention.key_length") ?? hidden / heads);
        json.WriteNumber("vocab_size", Tensor("token_embd.weight")?.Dimensions[0] ?? throw Missing("token_embd.weight"));
        json.WriteNumber("max_position_embeddings", Required("context_length"));
        json.WriteNumber("rms_norm_eps", (float)(metadata.Number($"{architecture}.attention.layer_norm_rms_epsilon") ?? throw Missing("attention.layer_norm_rms_epsilon")));
        json.WriteBoolean("tie_word_embeddings", Tensor("output.weight") is null);
    }

    private void WriteFeatures(Utf8JsonWriter json)
    {
        json.WriteString("hidden_act", "silu");
        if (architecture != "qwen2")
            json.WriteBoolean("attention_bias", Tensor("blk.0.attn_q.bias") is not null);
        if (architecture == "llama")
            json.WriteBoolean("mlp_bias", Tensor("blk.0.ffn_gate.bias") is not null);
    }

    private void WriteExperts(Utf8JsonWriter json, long experts)
    {
        json.WriteNumber("num_experts_per_tok", Required("expert_used_count"));
        if (architecture == "llama")
        {
            json.WriteNumber("num_local_experts", experts);
            return;
        }
        json.WriteNumber("num_experts", experts);
        json.WriteNumber("moe_intermediate_size", Required("expert_feed_forward_length"));
        // llama.cpp's qwen3moe has experts in every layer and lets the chosen probabilities sum to one.
        json.WriteBoolean("norm_topk_prob", true);
        json.WriteNumber("decoder_sparse_step", 1);
        json.WriteStartArray("mlp_only_layers");
        json.WriteEndArray();
    }

    private void WriteRope(Utf8JsonWriter json)
    {
        var theta = metadata.Number($"{architecture}.rope.freq_base") ?? 10000;
        json.WriteNumber("rope_theta", (float)theta);
        var (type, factor) = (metadata.String($"{architecture}.rope.scaling.type"), metadata.Number($"{architecture}.rope.scaling.factor"));
        if (Tensor("rope_freqs.weight") is not null)
        {
            WriteLlama3(json, theta);
            return;
        }
        if (type is null or "none")
            return;
        if (type is not ("linear" or "yarn") || factor is null)
            throw new QuantizationRefusedException($"{checkpoint.Path} scales its rotary embeddings by '{type}', which has no counterpart here");
        json.WriteStartObject("rope_scaling");
        json.WriteString("rope_type", type);
        json.WriteNumber("factor", (float)factor);
        if (type == "yarn")
            json.WriteNumber("original_max_position_embeddings", Required("rope.scaling.original_context_length"));
        json.WriteEndObject();
    }

    /// <summary>The factors of Llama 3.1 and later, recognized by computing them: Meta changed only the largest of them from model to model.</summary>
    private void WriteLlama3(Utf8JsonWriter json, double theta)
    {
        const double low = 1, high = 4;
        const int context = 8192;
        var weight = reader.Find("rope_freqs.weight")!;
        var factors = new float[weight.Rows * weight.RowLength];
        weight.ReadRows(0, factors);
        var largest = factors.Max();
        for (var at = 0; at < factors.Length; at++)
        {
            var wavelength = 2 * Math.PI * Math.Pow(theta, at / (double)factors.Length);
            var smooth = Math.Clamp((context / wavelength - low) / (high - low), 0, 1);
            if (Math.Abs(1 / ((1 - smooth) / largest + smooth) - factors[at]) > 1e-4 * factors[at])
                throw new QuantizationRefusedException($"{checkpoint.Path} has rotary factors that are not those of Llama 3 (rope_freqs.weight, element {at}), which have no counterpart here");
        }
        json.WriteStartObject("rope_scaling");
        json.WriteString("rope_type", "llama3");
        json.WriteNumber("factor", largest);
        json.WriteNumber("low_freq_factor", low);
        json.WriteNumber("high_freq_factor", high);
        json.WriteNumber("original_max_position_embeddings", context);
        json.WriteEndObject();
    }

    private void WriteTokens(Utf8JsonWriter json)
    {
        foreach (var token in (string[])["bos", "eos"])
        {
            if (metadata.Integer($"tokenizer.ggml.{token}_token_id") is { } id)
                json.WriteNumber($"{token}_token_id", id);
        }
    }

    /// <summary>The type of the matrices that are not quantized; FP16, which holds every decoded block, where all are.</summary>
    private string ElementType()
    {
        var plain = checkpoint.Tensors.Where(tensor => tensor.Dimensions.Length > 1 && tensor.Format.Kind == NumberFormatKind.Float && !tensor.Name.Contains("ffn_gate_inp", StringComparison.Ordinal))
            .Select(tensor => tensor.Format).Distinct().ToList();
        return plain.Contains(NumberFormats.Bf16) ? "bfloat16" : plain.Contains(NumberFormats.Fp32) ? "float32" : "float16";
    }

    private TensorHeader? Tensor(string name) => checkpoint.Tensors.FirstOrDefault(tensor => tensor.Name == name);

    private long? Integer(string key) => metadata.Integer($"{architecture}.{key}");

    private long Required(string key) => Integer(key) ?? throw Missing(key);

    private CheckpointFormatException Missing(string key) => new(checkpoint.Path, null, $"the key or tensor '{key}' of a {architecture} model", "none");
}
