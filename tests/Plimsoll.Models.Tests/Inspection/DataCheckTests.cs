using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Plimsoll.Models.Inspection;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Models.Tests.Inspection;

public class DataCheckTests
{
    private const string Up = "model.layers.0.mlp.up_proj.weight";

    [Fact]
    public void A_sound_model_has_no_problems() => Assert.Empty(Problems(TinyLlama.Plain(), TinyLlama.Config()));

    [Fact]
    public void Weights_that_are_not_finite_are_named_with_their_place()
    {
        Assert.Equal([$"Error values: {Up}[1, 2] is NaN."], Problems(TinyLlama.Plain(), TinyLlama.Config(), (tensor, bytes) => Spoil(tensor, bytes, Up, 258, 0x7FC0)));
        Assert.Equal([$"Error values: {Up}[1, 2] is minus infinite, the first of 3 weights that are not finite, in {Up}, model.norm.weight."], Problems(TinyLlama.Plain(), TinyLlama.Config(), (tensor, bytes) =>
        {
            Spoil(tensor, bytes, Up, 511 * 256, 0x7F80);
            Spoil(tensor, bytes, Up, 258, 0xFF80);
            Spoil(tensor, bytes, "model.norm.weight", 7, 0x7FC0);
        }));
    }

    [Fact]
    public void Empty_matrices_and_rows_are_found_but_not_those_of_unused_tokens()
    {
        Assert.Equal([$"Warning values: 1 matrix is all zeros: {Up}."], Problems(TinyLlama.Plain(), TinyLlama.Config(), (tensor, bytes) => Clear(tensor, bytes, Up, bytes.Length)));
        Assert.Equal([$"Warning values: 3 whole rows are zeros, the first in {Up}."], Problems(TinyLlama.Plain(), TinyLlama.Config(), (tensor, bytes) => Clear(tensor, bytes, Up, 3 * 512)));
        Assert.Empty(Problems(TinyLlama.Plain(), TinyLlama.Config(), (tensor, bytes) => Clear(tensor, bytes, "model.embed_tokens.weight", 3 * 512)));
    }

    [Theory]
    [InlineData(0x77777777u, null, null)]
    [InlineData(0x88888888u, "\"checkpoint_format\":\"gptq_v2\"", null)]
    [InlineData(0x88888888u, null, "are stored as 8, as version 2 does, but checkpoint_format is gptq: engines shift every weight by one step; it should say gptq_v2.")]
    [InlineData(0x77777777u, "\"checkpoint_format\":\"gptq_v2\"", "are stored as 7, as version 1 stores 8, but checkpoint_format is gptq_v2: engines shift every weight by one step; it should say gptq.")]
    [InlineData(0x78777777u, "\"checkpoint_format\":\"gptq_v2\"", null)]
    public void Zero_points_under_the_label_of_the_other_version_are_found(uint word, string? label, string? problem)
    {
        var layout = QuantizedLayout.Of("gptq-4-g128");
        var config = TinyLlama.Config(label is null ? layout.Config : layout.Config.Replace("\"bits\":4", $"\"bits\":4,{label}", StringComparison.Ordinal));
        Assert.Equal(problem is null ? [] : [$"Error zero-points: the zero points of 14 layers, first model.layers.0.self_attn.q_proj.weight, {problem}"], Problems(TinyLlama.Linear(layout.Store), config, (tensor, bytes) =>
        {
            if (tensor.Name.EndsWith("qzeros", StringComparison.Ordinal))
                MemoryMarshal.Cast<byte, uint>(bytes).Fill(word);
        }));
    }

    /// <summary>Weights whose groups have means of their own, packed as AutoAWQ does, and with zero points in plain order.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Zero_points_in_another_order_than_the_codes_are_found(bool isMixed)
    {
        int[] order = [0, 2, 4, 6, 1, 3, 5, 7];
        var layout = QuantizedLayout.Of("awq-4-g64");
        var problems = Problems(TinyLlama.Linear(layout.Store), TinyLlama.Config(layout.Config), (tensor, bytes) =>
        {
            var isCodes = tensor.Name.EndsWith("qweight", StringComparison.Ordinal);
            if (!isCodes && !tensor.Name.EndsWith("qzeros", StringComparison.Ordinal))
                return;
            var words = MemoryMarshal.Cast<byte, uint>(bytes);
            var perRow = (int)tensor.Shape[1];
            for (var at = 0; at < words.Length; at++)
            {
                words[at] = 0;
                for (var nibble = 0; nibble < 8; nibble++)
                {
                    var column = isMixed && !isCodes ? nibble : order[nibble];
                    // The middle of a column's codes: 3 to 12, moved by up to 2 from row to row.
                    var code = 3 + (at % perRow * 8 + column) * 7 % 10 + (isCodes ? at / perRow % 5 - 2 : 0);
                    words[at] |= (uint)code << (4 * nibble);
                }
            }
        });
        Assert.Equal(isMixed ? ["Error awq-order: the zero points of 14 layers, first model.layers.0.self_attn.q_proj.weight, do not belong to the codes beside them, but would in another order within their words: codes or zero points were packed 0 to 7 instead of 0, 2, 4, 6, 1, 3, 5, 7."] : [], problems);
    }

    [Theory]
    [InlineData("nvfp4-ct", "weight_global_scale", "q_proj 5e-1, k_proj 2.5e-1, v_proj 5e-1")]
    [InlineData("nvfp4-modelopt", "weight_scale_2", "q_proj 2e+0, k_proj 4e+0, v_proj 2e+0")]
    public void Scales_that_fused_layers_do_not_share_are_found(string layoutName, string part, string scales)
    {
        var layout = QuantizedLayout.Of(layoutName);
        Assert.Empty(Problems(TinyLlama.Linear(layout.Store), TinyLlama.Config(layout.Config), (tensor, bytes) => Set(tensor, bytes, differ: false)));
        Assert.Equal([$"Warning fused-scales: 1 group of layers that engines fuse has NVFP4 scales of their own, first model.layers.1.self_attn.q_proj+k_proj+v_proj ({scales}): the fused matrix has one, and accuracy is lost."],
            Problems(TinyLlama.Linear(layout.Store), TinyLlama.Config(layout.Config), (tensor, bytes) => Set(tensor, bytes, differ: true)));

        void Set(StoredTensor tensor, Span<byte> bytes, bool differ)
        {
            if (tensor.Name.EndsWith(part, StringComparison.Ordinal))
                BinaryPrimitives.WriteSingleLittleEndian(bytes, differ && tensor.Name.Contains("1.self_attn.k_proj", StringComparison.Ordinal) ? 4 : 2);
            else if (tensor.Type == "F8_E4M3")
                bytes.Fill(0x38);
        }
    }

    [Fact]
    public void A_head_that_repeats_the_embedding_is_wasteful_and_one_that_is_thrown_away_is_an_error()
    {
        Assert.Equal(["Warning tied-head: lm_head.weight has the bytes of model.embed_tokens.weight (500.00 KiB twice): with tie_word_embeddings one is enough."],
            Problems(TinyLlama.Plain(), TinyLlama.Config(), Same));
        Assert.Equal(["Error tied-head: lm_head.weight is stored and differs from model.embed_tokens.weight, but tie_word_embeddings makes loaders ignore it: the model loses its output head; tie_word_embeddings should be false."],
            Problems(TinyLlama.Plain(), TinyLlama.Config(tied: true)));
        Assert.Empty(Problems(TinyLlama.Plain(), TinyLlama.Config(tied: true), Same));

        static void Same(StoredTensor tensor, Span<byte> bytes)
        {
            if (tensor.Name is "lm_head.weight" or "model.embed_tokens.weight")
                FilledSafetensors.Put(tensor, bytes, index => MathF.Sin(index));
        }
    }

    [Fact]
    public void Weights_are_compared_with_a_reference()
    {
        using var reference = ModelFolder.Filled(TinyLlama.Plain("F32"), TinyLlama.Config());
        // BF16 in place of FP32 is the same model.
        Assert.Empty(Problems(TinyLlama.Plain(), TinyLlama.Config(), reference: reference));
        Assert.Equal(["Error reference: 1 parameter has other weights than in REFERENCE: model.layers.0.mlp.up_proj.weight."], Problems(TinyLlama.Plain(), TinyLlama.Config(), (tensor, bytes) =>
        {
            if (tensor.Name == Up)
                FilledSafetensors.Put(tensor, bytes, index => MathF.Sin(index));
        }, reference));
        Assert.Equal(["Error reference: no parameter has the name of one in REFERENCE: nothing can be compared."],
            Problems(TinyLlama.Plain().Select(tensor => tensor with { Name = "x." + tensor.Name.Replace('.', '_') }), null, reference: reference));
    }

    /// <summary>transformers' permutation of Meta's rows: view(heads, d/2, 2, columns).transpose(1, 2), and its inverse, written out.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Query_rows_in_the_other_order_of_rotary_embeddings_are_found(bool toHalves)
    {
        const int head = 64, columns = 256;
        const string query = "model.layers.0.self_attn.q_proj.weight";
        using var reference = ModelFolder.Filled(TinyLlama.Plain(), TinyLlama.Config());
        var problems = Problems(TinyLlama.Plain(), TinyLlama.Config(), (tensor, bytes) =>
        {
            if (tensor.Name != query)
                return;
            var rows = bytes.ToArray();
            for (var row = 0; row < 256; row++)
            {
                var (first, inside) = (row / head * head, row % head);
                var neighbours = first + 2 * (inside % (head / 2)) + inside / (head / 2);
                var (from, to) = toHalves ? (neighbours, row) : (row, neighbours);
                rows.AsSpan(from * columns * 2, columns * 2).CopyTo(bytes[(to * columns * 2)..]);
            }
        }, reference);
        Assert.Equal([$"Error reference: the rows of {query} are in the other order of rotary embeddings than in REFERENCE: pairs of neighbours in one, halves of a head in the other."], problems);
    }

    private static void Spoil(StoredTensor tensor, Span<byte> bytes, string name, int index, ushort value)
    {
        if (tensor.Name == name)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes[(2 * index)..], value);
    }

    private static void Clear(StoredTensor tensor, Span<byte> bytes, string name, int length)
    {
        if (tensor.Name == name)
            bytes[..length].Clear();
    }

    private static IEnumerable<string> Problems(IEnumerable<StoredTensor> tensors, string? config, Action<StoredTensor, Span<byte>>? change = null, ModelFolder? reference = null)
    {
        using var model = ModelFolder.Filled(tensors, config, change);
        using var against = reference is null ? null : new DataInspection(reference.Inspect());
        using var data = new DataInspection(model.Inspect()) { Reference = against };
        var problems = data.Run();
        return [.. problems.Select(problem => $"{problem.Severity} {problem.Check}: {(against is null ? problem.Message : problem.Message.Replace(against.Inspection.Path, "REFERENCE", StringComparison.Ordinal))}")];
    }
}
