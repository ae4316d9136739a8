using System.Runtime.InteropServices;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Runtime.Benchmarks;

/// <summary>A Llama of random weights with layers as wide as those of a 1B model, every matrix in one format: what speed and memory are measured on.</summary>
/// <remarks>Speed does not depend on the values, so a few rows are made and repeated. It has a vocabulary of its own and can be run with a prompt.</remarks>
internal static class SyntheticModel
{
    private const int Hidden = 2048;
    private const int Width = 8192;
    private const int KeyValueWidth = 512;
    private const int RepeatedRows = 64;

    public const int Vocabulary = 32000;

    public static void Write(string path, NumberFormat format, int layers)
    {
        var keys = Keys(layers);
        var tensors = Tensors(format, layers).ToList();
        var layout = GgufWriter.Layout(keys, tensors);
        using var file = File.Create(path);
        file.Write(layout.Header.Span);
        var rows = tensors.Select(tensor => tensor.Dimensions).Where(sizes => sizes.Length == 2).Select(sizes => (int)sizes[1]).Distinct().ToDictionary(width => width, width => Rows(format, width));
        foreach (var (tensor, offset) in tensors.Zip(layout.Offsets))
        {
            file.Position = offset;
            if (tensor.Dimensions.Length == 1)
            {
                file.Write(MemoryMarshal.AsBytes(Enumerable.Repeat(1f, (int)tensor.Dimensions[0]).ToArray().AsSpan()));
                continue;
            }
            var block = rows[(int)tensor.Dimensions[1]];
            for (var row = 0L; row < tensor.Dimensions[0]; row += RepeatedRows)
                file.Write(block);
        }
        file.SetLength(layout.Length);
    }

    private static GgufKeyValues Keys(int layers)
    {
        var keys = new GgufKeyValues();
        keys.Text("general.architecture", "llama");
        keys.Text("general.name", "synthetic");
        keys.UInt32("llama.block_count", (uint)layers);
        keys.UInt32("llama.context_length", 16384);
        keys.UInt32("llama.embedding_length", Hidden);
        keys.UInt32("llama.feed_forward_length", Width);
        keys.UInt32("llama.attention.head_count", 32);
        keys.UInt32("llama.attention.head_count_kv", 8);
        keys.Float32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        keys.UInt32("llama.vocab_size", Vocabulary);
        keys.Text("tokenizer.ggml.model", "llama");
        var bytes = Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>");
        string[] tokens = [.. ((string[])["<unk>", "<s>", "</s>"]).Concat(bytes).Concat(Enumerable.Range(0, Vocabulary - 259).Select(index => $"▁{index}"))];
        keys.Texts("tokenizer.ggml.tokens", tokens);
        keys.Float32s("tokenizer.ggml.scores", [.. Enumerable.Range(0, Vocabulary).Select(index => -(float)index)]);
        // Unknown, two control tokens, bytes, and normal ones.
        keys.Int32s("tokenizer.ggml.token_type", [.. Enumerable.Range(0, Vocabulary).Select(index => index switch { 0 => 2, < 3 => 3, < 259 => 6, _ => 1 })]);
        keys.UInt32("tokenizer.ggml.bos_token_id", 1);
        keys.UInt32("tokenizer.ggml.eos_token_id", 2);
        return keys;
    }

    private static IEnumerable<GgufTensorInfo> Tensors(NumberFormat format, int layers)
    {
        yield return Matrix("token_embd", Vocabulary, Hidden);
        for (var layer = 0; layer < layers; layer++)
        {
            var prefix = $"blk.{layer}.";
            yield return Norm(prefix + "attn_norm");
            yield return Matrix(prefix + "attn_q", Hidden, Hidden);
            yield return Matrix(prefix + "attn_k", KeyValueWidth, Hidden);
            yield return Matrix(prefix + "attn_v", KeyValueWidth, Hidden);
            yield return Matrix(prefix + "attn_output", Hidden, Hidden);
            yield return Norm(prefix + "ffn_norm");
            yield return Matrix(prefix + "ffn_gate", Width, Hidden);
            yield return Matrix(prefix + "ffn_up", Width, Hidden);
            yield return Matrix(prefix + "ffn_down", Hidden, Width);
        }
        yield return Norm("output_norm");
        yield return Matrix("output", Vocabulary, Hidden);

        GgufTensorInfo Matrix(string name, long rows, long columns) => new(name + ".weight", format, [rows, columns]);

        static GgufTensorInfo Norm(string name) => new(name + ".weight", NumberFormats.Fp32, [Hidden]);
    }

    private static byte[] Rows(NumberFormat format, int columns)
    {
        var random = new Random(columns);
        var values = new float[RepeatedRows * columns];
        foreach (ref var value in values.AsSpan())
            value = (float)((random.NextDouble() * 2 - 1) * Math.Sqrt(3.0 / columns));
        var bytes = new byte[format.BytesFor(values.Length)];
        if (BlockCodecs.Find(format) is { } codec)
            codec.Encode(values, columns, bytes, Enumerable.Repeat(1f, columns).ToArray());
        else
            ElementCodec.Encode(format, values, bytes);
        return bytes;
    }
}
