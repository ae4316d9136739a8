using System.Runtime.InteropServices;

namespace Plimsoll.Testing.Builders;

/// <summary>A model of a few random weights as a GGUF file of some architecture: hidden 64, 4 heads of 16 with 2 key-value heads, the 320 tokens of <see cref="TinyTokenizer"/>.</summary>
public sealed class TinyModel(string architecture, int seed = 1)
{
    public const int Hidden = 64;
    public const int Vocabulary = TinyTokenizer.Vocabulary;
    public const int HeadDim = 16;

    private readonly Random random = new(seed);
    private readonly GgufBuilder builder = new GgufBuilder().Text("general.architecture", architecture).Text("tokenizer.ggml.model", "no_vocab");
    private readonly List<(string Name, ulong[] Sizes, float[] Values)> tensors = [];

    /// <summary>Every tensor by name, its sizes as in the file (row length first), and its values.</summary>
    public IReadOnlyDictionary<string, (int[] Sizes, float[] Values)> Tensors => tensors.ToDictionary(tensor => tensor.Name, tensor => (tensor.Sizes.Select(size => (int)size).ToArray(), tensor.Values));

    public int Layers { get; init; } = 3;

    public int Heads { get; init; } = 4;

    public int KeyValueHeads { get; init; } = 2;

    public int Width { get; init; } = 96;

    public TinyModel Integer(string key, uint value)
    {
        builder.UInt32($"{architecture}.{key}", value);
        return this;
    }

    public TinyModel Number(string key, float value)
    {
        builder.Key($"{architecture}.{key}", 6, BitConverter.GetBytes(value));
        return this;
    }

    public TinyModel Flag(string key, bool value)
    {
        builder.Key($"{architecture}.{key}", 7, [(byte)(value ? 1 : 0)]);
        return this;
    }

    public TinyModel Text(string key, string value)
    {
        builder.Text($"{architecture}.{key}", value);
        return this;
    }

    /// <param name="sizes">Row length first, as in the file.</param>
    public TinyModel Tensor(string name, params int[] sizes)
    {
        var values = new float[sizes.Aggregate(1, (product, size) => product * size)];
        var isVector = sizes.Length == 1 || name.Contains("_norm", StringComparison.Ordinal);
        var spread = isVector ? 0.2 : 1.5 / Math.Sqrt(sizes[0]);
        var centre = isVector && name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0;
        for (var index = 0; index < values.Length; index++)
            values[index] = (float)(centre + spread * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return Tensor(name, values, sizes);
    }

    public TinyModel Tensor(string name, float[] values, params int[] sizes)
    {
        tensors.Add((name, [.. sizes.Select(size => (ulong)size)], values));
        return this;
    }

    public TinyModel EachLayer(Action<TinyModel, string> add)
    {
        for (var layer = 0; layer < Layers; layer++)
            add(this, $"blk.{layer}.");
        return this;
    }

    /// <summary>The keys that every architecture has.</summary>
    public TinyModel Keys(string epsilon = "attention.layer_norm_rms_epsilon") => Integer("vocab_size", Vocabulary).Integer("context_length", 256)
        .Integer("embedding_length", Hidden).Integer("block_count", (uint)Layers).Integer("feed_forward_length", (uint)Width)
        .Integer("attention.head_count", (uint)Heads).Integer("attention.head_count_kv", (uint)KeyValueHeads).Number(epsilon, 1e-5f);

    public TinyModel Embeddings(bool head = true, bool bias = false)
    {
        Tensor("token_embd.weight", Hidden, Vocabulary).Tensor("output_norm.weight", Hidden);
        if (bias)
            Tensor("output_norm.bias", Hidden);
        return head ? Tensor("output.weight", Hidden, Vocabulary) : this;
    }

    public TinyModel Norm(string name, bool bias = false, int width = Hidden) => bias ? Tensor(name + ".weight", width).Tensor(name + ".bias", width) : Tensor(name + ".weight", width);

    public TinyModel Linear(string name, int inputs, int outputs, bool bias = false) =>
        bias ? Tensor(name + ".weight", inputs, outputs).Tensor(name + ".bias", outputs) : Tensor(name + ".weight", inputs, outputs);

    /// <summary>Separate projections and the output.</summary>
    public TinyModel Attention(string prefix, bool bias = false, int headDim = HeadDim) =>
        Linear(prefix + "attn_q", Hidden, Heads * headDim, bias).Linear(prefix + "attn_k", Hidden, KeyValueHeads * headDim, bias)
            .Linear(prefix + "attn_v", Hidden, KeyValueHeads * headDim, bias).Linear(prefix + "attn_output", Heads * headDim, Hidden);

    /// <summary>One fused projection and the output.</summary>
    public TinyModel FusedAttention(string prefix, bool bias = false) =>
        Linear(prefix + "attn_qkv", Hidden, (Heads + 2 * KeyValueHeads) * HeadDim, bias).Linear(prefix + "attn_output", Hidden, Hidden, bias);

    public TinyModel Gated(string prefix) =>
        Linear(prefix + "ffn_gate", Hidden, Width).Linear(prefix + "ffn_up", Hidden, Width).Linear(prefix + "ffn_down", Width, Hidden);

    public TinyModel Plain(string prefix) => Linear(prefix + "ffn_up", Hidden, Width, bias: true).Linear(prefix + "ffn_down", Width, Hidden, bias: true);

    public TinyModel Experts(string prefix, int count, int width) => Tensor(prefix + "ffn_gate_inp.weight", Hidden, count)
        .Tensor(prefix + "ffn_gate_exps.weight", Hidden, width, count).Tensor(prefix + "ffn_up_exps.weight", Hidden, width, count).Tensor(prefix + "ffn_down_exps.weight", width, Hidden, count);

    public byte[] File()
    {
        var data = new MemoryStream();
        foreach (var (name, sizes, values) in tensors)
        {
            builder.Tensor(name, 0, (ulong)data.Length, sizes);
            data.Write(MemoryMarshal.AsBytes(values.AsSpan()));
            data.Write(new byte[(32 - data.Length % 32) % 32]);
        }
        return [.. builder.Header(), .. data.ToArray()];
    }
}
