namespace Plimsoll.Testing.Builders;

/// <summary>A Llama of two layers as transformers saves it, whole or quantized; names and layouts are written out, not asked of the product.</summary>
public static class TinyLlama
{
    public const int Hidden = 256;
    public const int Width = 512;
    public const int Vocabulary = 1000;

    /// <summary>2 x 1000 x 256 + 2 x (2 x 256 x 256 + 2 x 128 x 256 + 3 x 512 x 256 + 2 x 256) + 256.</summary>
    public const long Parameters = 1_692_928;

    private const string Facts = """
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 1000, "max_position_embeddings": 2048, "torch_dtype": "bfloat16"
        """;

    /// <param name="quantization">The <c>quantization_config</c> object as JSON; null for none.</param>
    public static string Config(string? quantization = null, bool tied = false) =>
        $$"""{ {{Facts}}, "tie_word_embeddings": {{(tied ? "true" : "false")}}{{(quantization is null ? "" : $", \"quantization_config\": {quantization}")}} }""";

    /// <summary>Every tensor in one type.</summary>
    public static IEnumerable<StoredTensor> Plain(string type = "BF16", bool tied = false) =>
        Linear((path, outputs, inputs) => [new(path + ".weight", type, outputs, inputs)], type, tied);

    /// <summary>The linear layers of the decoder as <paramref name="store"/> writes them (path, out_features, in_features), the rest plain.</summary>
    public static IEnumerable<StoredTensor> Linear(Func<string, long, long, IEnumerable<StoredTensor>> store, string type = "BF16", bool tied = false)
    {
        yield return new("model.embed_tokens.weight", type, Vocabulary, Hidden);
        for (var layer = 0; layer < 2; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            (string Name, long Outputs, long Inputs)[] matrices =
            [
                ("self_attn.q_proj", Hidden, Hidden), ("self_attn.k_proj", 128, Hidden), ("self_attn.v_proj", 128, Hidden), ("self_attn.o_proj", Hidden, Hidden),
                ("mlp.gate_proj", Width, Hidden), ("mlp.up_proj", Width, Hidden), ("mlp.down_proj", Hidden, Width),
            ];
            foreach (var (name, outputs, inputs) in matrices)
            {
                foreach (var tensor in store(prefix + name, outputs, inputs))
                    yield return tensor;
            }
            yield return new(prefix + "input_layernorm.weight", type, Hidden);
            yield return new(prefix + "post_attention_layernorm.weight", type, Hidden);
        }
        yield return new("model.norm.weight", type, Hidden);
        if (!tied)
            yield return new("lm_head.weight", type, Vocabulary, Hidden);
    }
}
