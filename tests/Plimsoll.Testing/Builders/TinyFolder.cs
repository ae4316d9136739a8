using System.Runtime.InteropServices;

namespace Plimsoll.Testing.Builders;

/// <summary>The same weights as a <see cref="TinyModel"/> the way transformers stores them: the inverse of llama.cpp's conversion scripts, written out.</summary>
public static class TinyFolder
{
    private static readonly (string Gguf, string Own)[] LlamaNames =
    [
        ("token_embd", "model.embed_tokens"), ("output_norm", "model.norm"), ("output", "lm_head"),
        ("attn_norm", "input_layernorm"), ("attn_q", "self_attn.q_proj"), ("attn_k", "self_attn.k_proj"), ("attn_v", "self_attn.v_proj"), ("attn_output", "self_attn.o_proj"),
        ("attn_qkv", "self_attn.qkv_proj"), ("attn_q_norm", "self_attn.q_norm"), ("attn_k_norm", "self_attn.k_norm"),
        ("ffn_norm", "post_attention_layernorm"), ("ffn_gate", "mlp.gate_proj"), ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj"),
    ];

    private static readonly (string Gguf, string Own)[] FourNormNames = [("post_attention_norm", "post_attention_layernorm"), ("ffn_norm", "pre_feedforward_layernorm"), ("post_ffw_norm", "post_feedforward_layernorm")];

    private static readonly (string Gguf, string Own)[] NeoXNames =
    [
        ("token_embd", "gpt_neox.embed_in"), ("output_norm", "gpt_neox.final_layer_norm"), ("output", "embed_out"),
        ("attn_norm", "input_layernorm"), ("attn_qkv", "attention.query_key_value"), ("attn_output", "attention.dense"),
        ("ffn_norm", "post_attention_layernorm"), ("ffn_up", "mlp.dense_h_to_4h"), ("ffn_down", "mlp.dense_4h_to_h"),
    ];

    private static readonly (string Gguf, string Own)[] Gpt2Names =
    [
        ("token_embd", "transformer.wte"), ("position_embd", "transformer.wpe"), ("output_norm", "transformer.ln_f"),
        ("attn_norm", "ln_1"), ("attn_qkv", "attn.c_attn"), ("attn_output", "attn.c_proj"), ("ffn_norm", "ln_2"), ("ffn_up", "mlp.c_fc"), ("ffn_down", "mlp.c_proj"),
    ];

    /// <param name="architecture">The model type of transformers.</param>
    /// <param name="facts">Members of <c>config.json</c> beside the common ones.</param>
    public static string Write(TemporaryFolder folder, TinyModel model, string architecture, string facts)
    {
        var names = Names(architecture);
        var layers = architecture switch { "gpt_neox" => "gpt_neox.layers.", "gpt2" => "transformer.h.", _ => "model.layers." };
        var stored = model.Tensors.SelectMany(tensor => Store(architecture, names, layers, tensor.Key, tensor.Value.Sizes, tensor.Value.Values)).ToList();
        var file = SafetensorsBuilder.File(stored.Select(tensor => new StoredTensor(tensor.Name, "F32", tensor.Shape)));
        var at = file.Length - stored.Sum(tensor => 4 * tensor.Values.Length);
        foreach (var tensor in stored)
        {
            MemoryMarshal.AsBytes(tensor.Values.AsSpan()).CopyTo(file.AsSpan(at));
            at += 4 * tensor.Values.Length;
        }
        folder.Write("hf/model.safetensors", file);
        folder.Write("hf/config.json", $$"""
            { "model_type": "{{architecture}}", "hidden_size": 64, "num_hidden_layers": {{model.Layers}}, "num_attention_heads": 4, "num_key_value_heads": {{model.KeyValueHeads}},
              "intermediate_size": {{model.Width}}, "vocab_size": {{TinyModel.Vocabulary}}, "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "layer_norm_eps": 1e-5, {{facts}} }
            """);
        return folder.File("hf");
    }

    private static Dictionary<string, string> Names(string architecture)
    {
        var names = (architecture switch { "gpt_neox" => NeoXNames, "gpt2" => Gpt2Names, _ => LlamaNames }).ToDictionary(pair => pair.Gguf, pair => pair.Own);
        IEnumerable<(string, string)> own = architecture switch
        {
            "gemma2" or "gemma3_text" or "olmo2" => FourNormNames,
            "phi3" => [("ffn_up", "mlp.gate_up_proj")],
            "mixtral" => [("ffn_gate_inp", "block_sparse_moe.gate"), ("ffn_gate_exps", "block_sparse_moe.experts.*.w1"), ("ffn_down_exps", "block_sparse_moe.experts.*.w2"), ("ffn_up_exps", "block_sparse_moe.experts.*.w3")],
            "qwen3_moe" => [("ffn_gate_inp", "mlp.gate"), ("ffn_gate_exps", "mlp.experts.*.gate_proj"), ("ffn_down_exps", "mlp.experts.*.down_proj"), ("ffn_up_exps", "mlp.experts.*.up_proj")],
            "stablelm" => [("attn_q_norm", "self_attn.q_layernorm.norms.*"), ("attn_k_norm", "self_attn.k_layernorm.norms.*")],
            _ => [],
        };
        foreach (var (gguf, name) in own)
            names[gguf] = name;
        return names;
    }

    private static IEnumerable<(string Name, long[] Shape, float[] Values)> Store(string architecture, Dictionary<string, string> names, string layers, string name, int[] sizes, float[] values)
    {
        var parts = name.Split('.');
        var (part, ending) = (parts[^2], parts[^1]);
        if (part == "rope_freqs")
            yield break;
        var own = (parts.Length == 4 ? $"{layers}{parts[1]}." : "") + names[part] + "." + ending;
        var shape = sizes.Reverse().Select(size => (long)size).ToArray();
        if (own.Contains('*'))
        {
            var each = values.Length / (int)shape[0];
            for (var index = 0; index < shape[0]; index++)
                yield return (own.Replace("*", index.ToString(), StringComparison.Ordinal), shape[1..], values[(index * each)..((index + 1) * each)]);
            yield break;
        }
        if (architecture is "llama" or "mistral" or "mixtral" or "granite" or "smollm3" && part is "attn_q" or "attn_k")
            values = Reorder(values, ending == "weight" ? sizes[0] : 1, row => (row / 16 * 16) + row % 16 / 2 + row % 2 * 8);
        if (architecture == "gpt_neox" && part == "attn_qkv")
            values = Reorder(values, ending == "weight" ? sizes[0] : 1, row => ((row / 16 % 4) * 3 + row / 64) * 16 + row % 16);
        if (architecture == "gpt2" && sizes.Length == 2 && parts.Length == 4)
            (values, shape) = (Transpose(values, sizes[0]), [shape[1], shape[0]]);
        if (architecture.StartsWith("gemma", StringComparison.Ordinal) && part.EndsWith("norm", StringComparison.Ordinal))
            values = [.. values.Select(value => value - 1)];
        yield return (own, shape, values);
    }

    /// <param name="place">Where transformers has the row that llama.cpp has at an index.</param>
    private static float[] Reorder(float[] values, int columns, Func<int, int> place)
    {
        var result = new float[values.Length];
        for (var row = 0; row < values.Length / columns; row++)
            values.AsSpan(row * columns, columns).CopyTo(result.AsSpan(place(row) * columns));
        return result;
    }

    private static float[] Transpose(float[] values, int columns)
    {
        var (rows, result) = (values.Length / columns, new float[values.Length]);
        for (var index = 0; index < values.Length; index++)
            result[index % columns * rows + index / columns] = values[index];
        return result;
    }
}
