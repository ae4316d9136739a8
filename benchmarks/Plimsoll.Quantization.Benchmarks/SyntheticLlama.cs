using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;

namespace Plimsoll.Quantization.Benchmarks;

/// <summary>A Llama with near-normal weights in F16, of any size.</summary>
/// <param name="Width">Hidden size; heads have 64 dimensions, a quarter of them keys and values.</param>
/// <param name="Inner">Feed-forward size.</param>
internal sealed record SyntheticLlama(int Layers, int Width, int Inner, int Vocabulary)
{
    /// <summary>113 million weights.</summary>
    public static SyntheticLlama Small { get; } = new(10, 768, 2048, 32_000);

    /// <summary>2.0 billion weights, 4.1 GB.</summary>
    public static SyntheticLlama Large { get; } = new(44, 2048, 5632, 32_000);

    public void Write(string path)
    {
        var tensors = Tensors().ToList();
        var layout = GgufWriter.Layout(Keys(), tensors);
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.Write(file, layout.Header.Span, 0);
        var values = NearNormal(1 << 20);
        for (var index = 0; index < tensors.Count; index++)
        {
            if (tensors[index].Format == NumberFormats.Fp32)
                RandomAccess.Write(file, MemoryMarshal.AsBytes(Enumerable.Repeat(1f, Width).ToArray().AsSpan()), layout.Offsets[index]);
            else
                Fill(file, layout.Offsets[index], tensors[index].Bytes, MemoryMarshal.AsBytes(values.AsSpan()));
        }
        RandomAccess.SetLength(file, layout.Length);
    }

    private IEnumerable<GgufTensorInfo> Tensors()
    {
        var keys = Width / 4;
        yield return Matrix("output.weight", Vocabulary, Width);
        yield return Norm("output_norm.weight");
        yield return Matrix("token_embd.weight", Vocabulary, Width);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"blk.{layer}.";
            yield return Norm(prefix + "attn_norm.weight");
            yield return Matrix(prefix + "attn_q.weight", Width, Width);
            yield return Matrix(prefix + "attn_k.weight", keys, Width);
            yield return Matrix(prefix + "attn_v.weight", keys, Width);
            yield return Matrix(prefix + "attn_output.weight", Width, Width);
            yield return Norm(prefix + "ffn_norm.weight");
            yield return Matrix(prefix + "ffn_gate.weight", Inner, Width);
            yield return Matrix(prefix + "ffn_up.weight", Inner, Width);
            yield return Matrix(prefix + "ffn_down.weight", Width, Inner);
        }
    }

    private GgufKeyValues Keys()
    {
        var keys = new GgufKeyValues();
        keys.Text("general.architecture", "llama");
        keys.Text("general.name", "synthetic");
        keys.UInt32("general.file_type", 1);
        keys.UInt32("llama.context_length", 2048);
        keys.UInt32("llama.embedding_length", (uint)Width);
        keys.UInt32("llama.block_count", (uint)Layers);
        keys.UInt32("llama.feed_forward_length", (uint)Inner);
        keys.UInt32("llama.attention.head_count", (uint)Width / 64);
        keys.UInt32("llama.attention.head_count_kv", (uint)Width / 256);
        keys.Float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        keys.Text("tokenizer.ggml.model", "llama");
        keys.Texts("tokenizer.ggml.tokens", Enumerable.Range(0, Vocabulary).Select(token => $"<{token}>"));
        keys.Float32s("tokenizer.ggml.scores", new float[Vocabulary]);
        keys.Int32s("tokenizer.ggml.token_type", Enumerable.Repeat(1, Vocabulary).ToArray());
        return keys;
    }

    private GgufTensorInfo Norm(string name) => new(name, NumberFormats.Fp32, [Width]);

    private static GgufTensorInfo Matrix(string name, int rows, int columns) => new(name, NumberFormats.Fp16, [rows, columns]);

    /// <summary>Sums of four uniform numbers: bell-shaped, standard deviation 0.0115.</summary>
    private static Half[] NearNormal(int count)
    {
        var random = new Random(1);
        var values = new Half[count];
        for (var i = 0; i < count; i++)
            values[i] = (Half)(0.02f * (random.NextSingle() + random.NextSingle() + random.NextSingle() + random.NextSingle() - 2));
        return values;
    }

    private static void Fill(Microsoft.Win32.SafeHandles.SafeFileHandle file, long offset, long bytes, ReadOnlySpan<byte> values)
    {
        for (var done = 0L; done < bytes; done += values.Length)
            RandomAccess.Write(file, values[..(int)Math.Min(values.Length, bytes - done)], offset + done);
    }
}
