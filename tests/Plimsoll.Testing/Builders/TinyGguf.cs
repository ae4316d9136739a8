namespace Plimsoll.Testing.Builders;

/// <summary>A Llama of a few blocks in FP32 as llama.cpp's converter writes it: hidden 32, 4 heads with 2 KV heads of 8, feed-forward 64, 16 tokens.</summary>
public sealed class TinyGguf
{
    private readonly List<(string Name, ulong[] Sizes)> tensors = [];

    public TinyGguf(int blocks = 4, int tokens = 16)
    {
        Builder = new GgufBuilder().Text("general.architecture", "llama").Text("general.name", "tiny").UInt32("general.file_type", 0)
            .UInt32("llama.embedding_length", 32).UInt32("llama.feed_forward_length", 64)
            .UInt32("llama.attention.head_count", 4).UInt32("llama.attention.head_count_kv", 2).Key("llama.attention.layer_norm_rms_epsilon", 6, BitConverter.GetBytes(1e-5f))
            .Text("tokenizer.ggml.model", "gpt2").Text("tokenizer.ggml.pre", "llama-bpe").UInt32("tokenizer.ggml.bos_token_id", 1).UInt32("tokenizer.ggml.eos_token_id", 2)
            .Strings("tokenizer.ggml.tokens", [.. Enumerable.Range(0, tokens).Select(index => $"<{index}>")]);
        tensors.Add(("token_embd.weight", [32, 16]));
        for (var block = 0; block < blocks; block++)
        {
            var prefix = $"blk.{block}.";
            tensors.AddRange(
            [
                (prefix + "attn_norm.weight", [32]), (prefix + "attn_q.weight", [32, 32]), (prefix + "attn_k.weight", [32, 16]), (prefix + "attn_v.weight", [32, 16]), (prefix + "attn_output.weight", [32, 32]),
                (prefix + "ffn_norm.weight", [32]), (prefix + "ffn_gate.weight", [32, 64]), (prefix + "ffn_up.weight", [32, 64]), (prefix + "ffn_down.weight", [64, 32]),
            ]);
        }
        tensors.AddRange([("output_norm.weight", [32]), ("output.weight", [32, 16])]);
    }

    /// <summary>The keys, to add to.</summary>
    public GgufBuilder Builder { get; }

    /// <summary>The blocks and the context, which are left out unless asked for, so that a test can leave them out.</summary>
    public TinyGguf Usual(uint blocks = 4)
    {
        Builder.UInt32("llama.block_count", blocks).UInt32("llama.context_length", 512);
        return this;
    }

    public TinyGguf Without(string tensor)
    {
        tensors.RemoveAll(each => each.Name == tensor || each.Name.StartsWith(tensor + ".", StringComparison.Ordinal));
        return this;
    }

    public byte[] File(int extraBytes = 0)
    {
        var offset = 0UL;
        foreach (var (name, sizes) in tensors)
        {
            Builder.Tensor(name, 0, offset, sizes);
            offset += sizes.Aggregate(4UL, (product, size) => product * size);
        }
        return Builder.File((int)offset + extraBytes);
    }
}
