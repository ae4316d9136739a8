using System.Globalization;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Data;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>A Llama as the transformers library saves it, made from the FP32 file of llama.cpp: other names, and rotary pairs apart again.</summary>
internal sealed class LlamaFolder : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public string Path => folder.Path;

    public static LlamaFolder FromGguf(string gguf, string tokenizerModel)
    {
        var checkpoint = Checkpoint.Open(gguf);
        var metadata = checkpoint.Gguf!;
        long Fact(string name) => metadata.Integer("llama." + name)!.Value;
        var result = new LlamaFolder();
        var tied = checkpoint.Tensors.All(tensor => tensor.Name != "output.weight");
        result.folder.Write("config.json", $$"""
            {"model_type": "llama", "hidden_size": {{Fact("embedding_length")}}, "intermediate_size": {{Fact("feed_forward_length")}}, "num_hidden_layers": {{Fact("block_count")}},
             "num_attention_heads": {{Fact("attention.head_count")}}, "num_key_value_heads": {{Fact("attention.head_count_kv")}}, "max_position_embeddings": {{Fact("context_length")}},
             "vocab_size": {{metadata.Length("tokenizer.ggml.tokens")}}, "tie_word_embeddings": {{(tied ? "true" : "false")}},
             "rms_norm_eps": {{((float)metadata.Number("llama.attention.layer_norm_rms_epsilon")!.Value).ToString("R", CultureInfo.InvariantCulture)}}}
            """);
        File.Copy(tokenizerModel, result.folder.File("tokenizer.model"));
        using var reader = new WeightReader(checkpoint, quantization: null);
        var tensors = new Dictionary<string, RandomTensor>();
        foreach (var tensor in checkpoint.Tensors)
        {
            var weight = reader.Find(tensor.Name)!;
            var values = new float[weight.Rows * weight.RowLength];
            weight.ReadRows(0, values);
            if (tensor.Name.Contains("attn_q.", StringComparison.Ordinal))
                values = PairsToHalves(values, tensor.Dimensions, (int)Fact("attention.head_count"));
            if (tensor.Name.Contains("attn_k.", StringComparison.Ordinal))
                values = PairsToHalves(values, tensor.Dimensions, (int)Fact("attention.head_count_kv"));
            tensors[NameOf(tensor.Name)] = new([.. tensor.Dimensions], values);
        }
        result.folder.Write("model.safetensors", RandomCheckpoint.File(tensors));
        return result;
    }

    public void Dispose() => folder.Dispose();

    /// <summary>What transformers' conversion of Meta's weights does: <c>w.view(heads, d/2, 2, in).transpose(1, 2)</c>.</summary>
    private static float[] PairsToHalves(float[] values, IReadOnlyList<long> dimensions, int heads)
    {
        var (rows, width) = ((int)dimensions[0], (int)dimensions[1]);
        var headDim = rows / heads;
        var result = new float[values.Length];
        for (var row = 0; row < rows; row++)
        {
            var (head, inside) = (row / headDim, row % headDim);
            var target = head * headDim + inside % 2 * (headDim / 2) + inside / 2;
            values.AsSpan(row * width, width).CopyTo(result.AsSpan(target * width));
        }
        return result;
    }

    private static string NameOf(string name)
    {
        var parts = name.Split('.');
        return parts switch
        {
            ["token_embd", ..] => "model.embed_tokens.weight",
            ["output", ..] => "lm_head.weight",
            ["output_norm", ..] => "model.norm.weight",
            ["blk", var layer, var part, _] => $"model.layers.{layer}.{Parts[part]}.weight",
            _ => throw new ArgumentException(name),
        };
    }

    private static readonly Dictionary<string, string> Parts = new()
    {
        ["attn_norm"] = "input_layernorm", ["attn_q"] = "self_attn.q_proj", ["attn_k"] = "self_attn.k_proj", ["attn_v"] = "self_attn.v_proj", ["attn_output"] = "self_attn.o_proj",
        ["ffn_norm"] = "post_attention_layernorm", ["ffn_gate"] = "mlp.gate_proj", ["ffn_up"] = "mlp.up_proj", ["ffn_down"] = "mlp.down_proj",
    };
}
