using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Models.Inspection;
using Plimsoll.Quantization.Gguf;
using Plimsoll.Testing.Peers;
using static Plimsoll.Quantization.Tests.Gguf.ReferenceMath;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Members of a family that differ from the one in <see cref="TinyConfigs"/>.</summary>
public sealed class VariantTests
{
    /// <summary>Falcon 7B: one norm, one key-value head behind all queries.</summary>
    [Fact]
    public void Falcon_with_one_key_value_head() => AssertComputes(
        TinyConfigs.ByModelType["falcon"].Replace("\"new_decoder_architecture\": true", "\"new_decoder_architecture\": false"),
        ReferenceStyles.ByModelType["falcon"] with
        {
            NormBefore = "input_layernorm", NormBeforeFeedForward = null, SplitFused = qkv => (qkv[..256], qkv[256..320], qkv[320..]),
        });

    [Fact]
    public void Gpt_neox_with_one_part_behind_the_other() => AssertComputes(
        TinyConfigs.ByModelType["gpt_neox"].Replace("\"use_parallel_residual\": true", "\"use_parallel_residual\": false"),
        ReferenceStyles.ByModelType["gpt_neox"] with { Parallel = false });

    /// <summary>StableLM 3B: neither biases nor norms on queries and keys.</summary>
    [Fact]
    public void Stablelm_with_one_part_behind_the_other() => AssertComputes(
        TinyConfigs.ByModelType["stablelm"].Replace("\"use_qkv_bias\": true, \"qk_layernorm\": true, \"use_parallel_residual\": true", "\"use_qkv_bias\": false, \"qk_layernorm\": false, \"use_parallel_residual\": false"),
        ReferenceStyles.ByModelType["stablelm"] with { Parallel = false, HeadNorm = null, NormBeforeFeedForward = "post_attention_layernorm" });

    /// <summary>DeepSeek-V3: a sigmoid, and a correction that decides who is chosen but not with which weight.</summary>
    [Fact]
    public void Deepseek_v3_with_corrected_routing() => AssertComputes(
        TinyConfigs.ByModelType["deepseek_v2"].Replace("\"deepseek_v2\"", "\"deepseek_v3\"").Replace("\"softmax\", \"norm_topk_prob\": false, \"topk_method\": \"greedy\"", "\"sigmoid\", \"norm_topk_prob\": true, \"topk_method\": \"noaux_tc\"")
            .Replace("\"routed_scaling_factor\": 1.0", "\"routed_scaling_factor\": 2.5"),
        ReferenceStyles.ByModelType["deepseek_v2"] with
        {
            Experts = (model, x, prefix) =>
            {
                var scores = model.Linear(prefix + "mlp.gate", x).Select(score => 1 / (1 + Math.Exp(-score))).ToArray();
                var corrected = Add(scores, [.. model.Values(prefix + "mlp.gate.e_score_correction_bias").Select(value => (double)value)]);
                return Add(
                    ReferenceStyles.Routed(scores, normalized: true, expert => ReferenceStyles.Expert(model, x, $"{prefix}mlp.experts.{expert}."), corrected, 2.5),
                    ReferenceStyles.Expert(model, x, prefix + "mlp.shared_experts."));
            },
        });

    /// <summary>The file has the names of the language model; tower and projector stay behind.</summary>
    [Fact]
    public void The_language_model_of_a_multimodal_checkpoint()
    {
        using var checkpoint = new RandomCheckpoint($$$"""
            {"model_type": "gemma3", "text_config": {{{TinyConfigs.ByModelType["gemma3_text"]}}}, "mm_tokens_per_image": 4,
             "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2, "num_hidden_layers": 1, "image_size": 56, "patch_size": 14}}
            """, sentencePiece: true);
        using var folder = new TemporaryFolder();
        var plan = Plan(checkpoint);
        using var llama = Llama.Load(PlanFiles.Write(plan, folder.Path).Single());
        Assert.Equal("gemma3", llama.Metadata("general.architecture"));
        Assert.Contains(plan.Notes, note => note.Contains("mmproj", StringComparison.Ordinal));
        Assert.DoesNotContain(plan.Notes, note => note.Contains("left out, the first", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    [InlineData("gpt_oss")]
    [InlineData("stablelm")]
    [InlineData("deepseek_v2")]
    public void Our_own_inspection_finds_nothing_wrong_with_our_files(string modelType)
    {
        using var checkpoint = TinyConfigs.Create(modelType);
        using var folder = new TemporaryFolder();
        var inspection = CheckpointInspector.Inspect(PlanFiles.Write(Plan(checkpoint), folder.Path).Single());
        Assert.Empty(inspection.Problems);
    }

    private static void AssertComputes(string config, ReferenceStyle style)
    {
        using var checkpoint = new RandomCheckpoint(config);
        ReferenceModel.AssertComputes(checkpoint, style);
    }

    private static Output.OutputPlan Plan(RandomCheckpoint checkpoint) =>
        GgufConversion.Plan(ModelLocator.FromPath(checkpoint.Path), new() { FileName = "tiny.gguf", FileType = GgufFileType.Find("q8_0")! });
}
