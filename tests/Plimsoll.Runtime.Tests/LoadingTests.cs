using Plimsoll.Checkpoints;
using Plimsoll.Models;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Runtime.Tests;

public sealed class LoadingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_missing_tensor_is_named_with_its_shape()
    {
        var model = new TinyModel("llama").Keys().Embeddings().EachLayer((model, at) => model.Norm(at + "attn_norm").Attention(at).Norm(at + "ffn_norm").Linear(at + "ffn_gate", 64, 96).Linear(at + "ffn_up", 64, 96));
        Assert.Contains("expected tensor 'blk.0.ffn_down.weight' of 64 x 96, found no such tensor", Refuse(model).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_a_vocabulary_alone_is_refused_as_such() =>
        Assert.Contains("expected a model with weights, found no tensors: the file holds a vocabulary alone", Refuse(new TinyModel("llama").Keys()).Message, StringComparison.Ordinal);

    [Fact]
    public void A_wrong_shape_is_named_with_the_right_one()
    {
        var model = new TinyModel("llama").Keys().Tensor("token_embd.weight", 64, TinyModel.Vocabulary).Tensor("output_norm.weight", 32).EachLayer((model, at) => model.Norm(at + "attn_norm").Attention(at).Norm(at + "ffn_norm").Gated(at));
        Assert.Contains("expected tensor 'output_norm.weight' of 64, found one of 32", Refuse(model).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_bias_of_GPT_2_is_missed()
    {
        var model = new TinyModel("gpt2") { KeyValueHeads = 4 }.Keys("attention.layer_norm_epsilon").Embeddings(head: false, bias: true).Tensor("position_embd.weight", 64, 256)
            .EachLayer((model, at) => model.Norm(at + "attn_norm", bias: true).FusedAttention(at).Norm(at + "ffn_norm", bias: true).Plain(at));
        Assert.Contains("'blk.0.attn_qkv.bias' of 192, found no such tensor", Refuse(model).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rope.scaling.type", "ntk")]
    public void An_unknown_rope_scaling_is_refused(string key, string value) =>
        Assert.Contains($"llama.{key} to be none, linear, yarn or longrope with its factors, found {value}", Refuse(TinyModels.Llama().Text(key, value)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_odd_number_of_rotated_elements_is_refused() =>
        Assert.Contains("llama.rope.dimension_count", Refuse(TinyModels.Llama().Integer("rope.dimension_count", 17)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_epsilon_is_named() =>
        Assert.Contains("the key llama.attention.layer_norm_rms_epsilon", Refuse(new TinyModel("llama").Keys("attention.other").Embeddings()).Message, StringComparison.Ordinal);

    [Fact]
    public void An_architecture_that_cannot_be_run_is_refused_by_name()
    {
        var path = folder.Write("model.gguf", new TinyModel("rwkv6").Keys().Embeddings().File());
        var failure = Assert.Throws<UnknownArchitectureException>(() => TransformerModel.Load(path));
        Assert.Contains("'rwkv6' is refused: it cannot be run, only planned; these can: gemma, gemma2", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Observers_see_the_input_of_every_linear_layer()
    {
        using var model = TransformerModel.Load(folder.Write("model.gguf", TinyModels.Create("mixtral").File()));
        var seen = new Seen();
        using var session = model.CreateSession(new() { Context = 16, Observer = seen });
        session.Forward([1, 2, 3, 4, 5], []);

        // Each layer: q, k, v, output and router see all five tokens, the experts together two visits per token.
        Assert.Equal(3 * (4 + 1 + 3), seen.Rows.Count);
        Assert.All(seen.Rows, pair => Assert.Equal(pair.Key.Contains("_exps", StringComparison.Ordinal) ? 10 : 5, pair.Value.Rows));
        Assert.Equal(64, seen.Rows["blk.2.ffn_up_exps.weight"].Columns);
        Assert.Equal(96, seen.Rows["blk.2.ffn_down_exps.weight"].Columns);
    }

    private CheckpointFormatException Refuse(TinyModel model)
    {
        var path = folder.Write("model.gguf", model.File());
        return Assert.Throws<CheckpointFormatException>(() => TransformerModel.Load(path));
    }

    private sealed class Seen : IInputObserver
    {
        public Dictionary<string, (int Rows, int Columns)> Rows { get; } = [];

        public void Observe(string tensor, int expert, ReadOnlySpan<float> inputs, int columns) =>
            Rows[tensor] = (Rows.GetValueOrDefault(tensor).Rows + inputs.Length / columns, columns);
    }
}
