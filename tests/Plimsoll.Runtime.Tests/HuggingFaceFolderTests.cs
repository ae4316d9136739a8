using Plimsoll.Numerics;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Runtime.Tests;

/// <summary>A folder of transformers and a GGUF file with the same weights give the same logits; the GGUF ones are llama.cpp's (<see cref="LlamaCppLogitTests"/>).</summary>
public sealed class HuggingFaceFolderTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 30).Select(index => index * 37 % TinyModel.Vocabulary)];

    [Theory]
    [InlineData("llama", "llama", """ "rope_theta": 10000.0 """)]
    [InlineData("llama, tied", "llama", """ "tie_word_embeddings": true """)]
    [InlineData("llama, linear rope", "mistral", """ "rope_scaling": { "type": "linear", "factor": 4.0 }, "sliding_window": null """)]
    [InlineData("llama, yarn rope", "llama", """ "rope_parameters": { "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "rope_theta": 10000.0 } """)]
    [InlineData("llama, biases", "llama", """ "attention_bias": true """)]
    [InlineData("mixtral", "mixtral", """ "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": null """)]
    [InlineData("qwen2", "qwen2", """ "rope_theta": 1000000.0 """)]
    [InlineData("qwen3", "qwen3", """ "head_dim": 32 """)]
    [InlineData("qwen3moe", "qwen3_moe", """ "num_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 32, "norm_topk_prob": true """)]
    [InlineData("gemma", "gemma", """ "head_dim": 16, "hidden_act": "gelu", "tie_word_embeddings": true """)]
    [InlineData("gemma2", "gemma2", """ "head_dim": 16, "hidden_activation": "gelu_pytorch_tanh", "sliding_window": 8, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0, "query_pre_attn_scalar": 16, "tie_word_embeddings": true """)]
    [InlineData("gemma3", "gemma3_text", """ "head_dim": 16, "hidden_activation": "gelu_pytorch_tanh", "sliding_window": 8, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "rope_scaling": { "rope_type": "linear", "factor": 8.0 }, "query_pre_attn_scalar": 16 """)]
    [InlineData("phi3", "phi3", """ "sliding_window": null """)]
    [InlineData("gpt2", "gpt2", """ "n_embd": 64, "n_head": 4, "n_layer": 3, "n_positions": 256, "n_inner": 96, "activation_function": "gelu_new" """)]
    [InlineData("gptneox", "gpt_neox", """ "hidden_act": "gelu_new", "rotary_pct": 0.25, "use_parallel_residual": true """)]
    [InlineData("gptneox, sequential", "gpt_neox", """ "hidden_act": "gelu_new", "rotary_pct": 0.25, "use_parallel_residual": false """)]
    [InlineData("stablelm", "stablelm", """ "partial_rotary_factor": 0.25 """)]
    [InlineData("stablelm, 12B", "stablelm", """ "partial_rotary_factor": 0.25, "use_parallel_residual": true, "qk_layernorm": true """)]
    [InlineData("olmo2", "olmo2", """ "rope_theta": 10000.0 """)]
    [InlineData("granite", "granite", """ "embedding_multiplier": 3.0, "residual_multiplier": 0.3, "logits_scaling": 2.0, "attention_multiplier": 0.1, "tie_word_embeddings": false """)]
    [InlineData("smollm3", "smollm3", """ "no_rope_layer_interval": 4, "tie_word_embeddings": true, "sliding_window": null """)]
    public void A_folder_gives_the_logits_of_the_same_weights_in_a_gguf_file(string name, string architecture, string facts)
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.Create(name);
        var expected = Logits(folder.Write("model.gguf", model.File()));

        var found = Logits(TinyFolder.Write(folder, model, architecture, facts));

        var worst = expected.Zip(found, (theirs, ours) => Math.Abs(theirs - ours)).Max();
        Assert.True(worst < 1e-4 * expected.Max(Math.Abs), $"{architecture}: logits differ by up to {worst}");
    }

    /// <summary>The factors are what llama.cpp's conversion writes into <c>rope_freqs.weight</c>, by its formula.</summary>
    [Fact]
    public void The_rope_scaling_of_Llama_3_is_that_of_the_factors_in_converted_files()
    {
        using var folder = new TemporaryFolder();
        const double original = 64, factor = 8, low = 1, high = 4;
        var factors = Enumerable.Range(0, 8).Select(pair =>
        {
            var wavelength = 2 * Math.PI * Math.Pow(10_000, 2.0 * pair / 16);
            if (wavelength < original / high)
                return 1f;
            if (wavelength > original / low)
                return (float)factor;
            var smooth = (original / wavelength - low) / (high - low);
            return (float)(1 / ((1 - smooth) / factor + smooth));
        }).ToArray();
        var model = TinyModels.Llama().Tensor("rope_freqs.weight", factors, 8);
        Assert.Equal(3, new[] { factors[0] == 1, factors[^1] == 8, factors.Any(value => value is > 1 and < 8) }.Count(true.Equals));

        var expected = Logits(folder.Write("model.gguf", model.File()));
        var found = Logits(TinyFolder.Write(folder, model, "llama", """ "rope_scaling": { "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64 } """));

        Assert.True(expected.Zip(found, (theirs, ours) => Math.Abs(theirs - ours)).Max() < 1e-4);
    }

    private static float[] Logits(string path)
    {
        using var model = TransformerModel.Load(path);
        using var session = model.CreateSession(new() { Context = 64, KeyValueFormat = NumberFormats.Fp32 });
        var logits = new float[Tokens.Length * TinyModel.Vocabulary];
        session.Forward(Tokens, logits);
        return logits;
    }
}
