using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>What cannot be written ends in one sentence with the thing, the value and the next step.</summary>
public sealed class GgufRefusalTests
{
    [Fact]
    public void An_unknown_architecture_is_refused_with_the_list()
    {
        using var checkpoint = new RandomCheckpoint(TinyConfigs.ByModelType["llama"].Replace("\"llama\"", "\"arcee\""));
        var refusal = Refusal(checkpoint);
        Assert.StartsWith("GGUF files of 'arcee' models cannot be written; those that can are RefinedWeb, RefinedWebModel, deepseek_v2, deepseek_v3, falcon, gemma, ", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_description_without_weights_is_refused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("config.json", TinyLlama.Config());
        var refusal = Assert.Throws<QuantizationRefusedException>(() => GgufConversion.Plan(ModelLocator.FromPath(folder.Path), Recipe()));
        Assert.EndsWith("is a description without weights; download the checkpoint and name its folder.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        using var checkpoint = TinyConfigs.Create("llama", tensors => tensors.Remove("model.layers.1.mlp.up_proj.weight"));
        Assert.Contains("expected the tensor 'model.layers.1.mlp.up_proj.weight', which the configuration says there is, found no such tensor", BadInput(checkpoint));
    }

    [Fact]
    public void A_missing_expert_is_named()
    {
        using var checkpoint = TinyConfigs.Create("mixtral", tensors => tensors.Remove("model.layers.1.block_sparse_moe.experts.2.w1.weight"));
        Assert.Contains("expected 4 experts as 'model.layers.1.block_sparse_moe.experts.*.w1.weight', found 3", BadInput(checkpoint));
    }

    [Fact]
    public void A_wrong_shape_is_named()
    {
        using var checkpoint = TinyConfigs.Create("llama", tensors => tensors["model.layers.1.mlp.up_proj.weight"] = new([512, 128], new float[512 * 128]));
        Assert.Contains("expected 'model.layers.1.mlp.up_proj.weight' as [512, 256], as the configuration says, found [512, 128]", BadInput(checkpoint));
    }

    [Fact]
    public void A_missing_tokenizer_is_said()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        File.Delete(Path.Combine(checkpoint.Path, "tokenizer.json"));
        Assert.Contains("a tokenizer in this folder", BadInput(checkpoint));
    }

    [Fact]
    public void A_vocabulary_larger_than_the_embedding_is_refused()
    {
        using var checkpoint = new RandomCheckpoint(TinyConfigs.ByModelType["llama"].Replace("\"vocab_size\": 320", "\"vocab_size\": 256"));
        Assert.Contains("expected at most 256 tokens, one for each row of the embedding, found 302", BadInput(checkpoint));
    }

    [Fact]
    public void A_splitting_rule_without_a_name_in_llama_cpp_is_refused()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        checkpoint.Write("tokenizer.json", TinyTokenizer.ByteLevel(@"\p{L}+|\d{7}"));
        Assert.Contains("expected a pre_tokenizer whose rule llama.cpp has a name for, found another one", BadInput(checkpoint));
    }

    [Fact]
    public void A_missing_fact_of_the_configuration_is_named()
    {
        using var checkpoint = new RandomCheckpoint(TinyConfigs.ByModelType["granite"].Replace(", \"logits_scaling\": 8.0", ""));
        Assert.Contains("the key \"logits_scaling\", which a GGUF file of this architecture needs", BadInput(checkpoint));
    }

    [Fact]
    public void A_rotation_that_llama_cpp_does_not_compute_is_refused()
    {
        using var checkpoint = new RandomCheckpoint(TinyConfigs.ByModelType["llama"].Replace("\"attention_bias\": true", "\"rope_scaling\": {\"rope_type\": \"proportional\", \"factor\": 2}"));
        Assert.Contains("a rope_type that llama.cpp computes (default, linear, llama3, longrope, yarn), found 'proportional'", BadInput(checkpoint));
    }

    [Theory]
    [InlineData("q2_k_s", "Q2_K needs an importance matrix, and blk.0.attn_k.weight would have that type; give one with --imatrix.")]
    public void Types_too_coarse_without_an_importance_matrix_are_refused(string fileType, string message)
    {
        using var checkpoint = TinyConfigs.Create("llama");
        Assert.Equal(message, Refusal(checkpoint, Recipe(fileType)));
    }

    [Fact]
    public void An_importance_matrix_of_another_model_is_refused()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        var importance = new GgufImportance("other.imatrix", null, null, new Dictionary<string, ReadOnlyMemory<float>> { ["blk.0.attn_q.weight"] = new float[64] });
        Assert.Equal("the importance matrix other.imatrix has 64 numbers for blk.0.attn_q.weight, which has 256 columns: it is of another model.",
            Refusal(checkpoint, Recipe() with { Importance = importance }));
    }

    [Theory]
    [InlineData("ffn_down", "'ffn_down' is no tensor type; write REGEX=TYPE, as in 'ffn_down=q6_k'.")]
    [InlineData("ffn_(=q6_k", "'ffn_(' is no regular expression: ")]
    [InlineData("ffn_down=q9", "'q9' is no tensor type of a GGUF file; known are f32, f16, bf16, mxfp4, q8_0, ")]
    [InlineData("ffn_down=q8_k", "'q8_k' is no tensor type of a GGUF file; known are ")]
    public void A_tensor_type_that_cannot_be_is_refused(string text, string message) =>
        Assert.StartsWith(message, Assert.Throws<QuantizationRefusedException>(() => GgufTypeOverride.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_pattern_that_no_tensor_has_is_refused()
    {
        using var checkpoint = TinyConfigs.Create("llama");
        Assert.Equal("no tensor that can be quantized has a name in which 'mlp' is found; names are like output.weight.", Refusal(checkpoint, Recipe() with { Overrides = [GgufTypeOverride.Parse("mlp=q6_k")] }));
    }

    private static GgufRecipe Recipe(string fileType = "q4_k_m") => new() { FileName = "tiny.gguf", FileType = GgufFileType.Find(fileType)! };

    private static string Refusal(RandomCheckpoint checkpoint, GgufRecipe? recipe = null) =>
        Assert.Throws<QuantizationRefusedException>(() => GgufConversion.Plan(ModelLocator.FromPath(checkpoint.Path), recipe ?? Recipe())).Message;

    private static string BadInput(RandomCheckpoint checkpoint) =>
        Assert.Throws<CheckpointFormatException>(() => GgufConversion.Plan(ModelLocator.FromPath(checkpoint.Path), Recipe())).Message;
}
