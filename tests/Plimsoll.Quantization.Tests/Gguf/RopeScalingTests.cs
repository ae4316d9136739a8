using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Models;
using Plimsoll.Quantization.Gguf;

namespace Plimsoll.Quantization.Tests.Gguf;

/// <summary>Contexts that were extended: llama.cpp computes from our keys and tensors what transformers computes from the configuration.</summary>
public sealed class RopeScalingTests
{
    /// <summary>With an original context of 16 tokens the first frequencies are kept, the last divided by 8, and those between interpolated.</summary>
    [Fact]
    public void The_scaled_frequencies_of_llama_3_are_those_of_transformers()
    {
        using var checkpoint = Llama("""{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}""");
        ReferenceModel.AssertComputes(checkpoint, ReferenceStyles.ByModelType["llama"] with { FrequencyDivisor = pair => Llama3Divisor(500000, pair, 64, 8, 1, 4, 16) });
    }

    /// <summary>transformers, modeling_rope_utils.py, _compute_llama3_parameters, on inverse frequencies.</summary>
    private static double Llama3Divisor(double theta, int pair, int dimensions, double factor, double low, double high, double context)
    {
        var frequency = Math.Pow(theta, -2.0 * pair / dimensions);
        var wavelength = 2 * Math.PI / frequency;
        if (wavelength > context / low)
            return factor;
        if (wavelength < context / high)
            return 1;
        var smooth = (context / wavelength - low) / (high - low);
        return frequency / ((1 - smooth) * frequency / factor + smooth * frequency);
    }

    [Fact]
    public void Linear_scaling_divides_every_frequency()
    {
        using var checkpoint = Llama("""{"type": "linear", "factor": 4.0}""");
        ReferenceModel.AssertComputes(checkpoint, ReferenceStyles.ByModelType["llama"] with { FrequencyDivisor = _ => 4 });
    }

    /// <summary>Within the original context the short factors hold; rotated vectors grow by sqrt(1 + ln(extension) / ln(original)).</summary>
    [Fact]
    public void The_factors_of_phi_3_are_those_of_transformers()
    {
        var (shorter, longer) = (Enumerable.Range(0, 32).Select(pair => 1 + 0.05 * pair), Enumerable.Range(0, 32).Select(pair => 1.0 + pair));
        var scaling = $$"""{"type": "longrope", "short_factor": [{{Join(shorter)}}], "long_factor": [{{Join(longer)}}]}""";
        using var checkpoint = new RandomCheckpoint(
            TinyConfigs.ByModelType["phi3"].Replace("\"max_position_embeddings\": 512", "\"max_position_embeddings\": 4096").Replace("\"sliding_window\": null", $"\"sliding_window\": null, \"rope_scaling\": {scaling}"),
            sentencePiece: true);
        ReferenceModel.AssertComputes(checkpoint, ReferenceStyles.ByModelType["phi3"] with
        {
            FrequencyDivisor = pair => 1 + 0.05 * pair,
            RotationScale = Math.Sqrt(1 + Math.Log(8) / Math.Log(512)),
        });
    }

    [Fact]
    public void Yarn_is_written_with_all_its_numbers()
    {
        using var checkpoint = Llama("""{"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "original_max_position_embeddings": 256, "attention_factor": 1.25, "rope_theta": 150000}""");
        var metadata = Metadata(checkpoint);
        Assert.Equal("yarn", metadata.String("llama.rope.scaling.type"));
        Assert.Equal(32, metadata.Number("llama.rope.scaling.factor"));
        Assert.Equal(256, metadata.Integer("llama.rope.scaling.original_context_length"));
        Assert.Equal(1.25, metadata.Number("llama.rope.scaling.yarn_attn_factor"));
        Assert.Equal(32, metadata.Number("llama.rope.scaling.yarn_beta_fast"));
        Assert.Equal(1, metadata.Number("llama.rope.scaling.yarn_beta_slow"));
        Assert.Equal(150000, metadata.Number("llama.rope.freq_base"));
    }

    [Fact]
    public void Layers_with_windows_may_have_a_base_of_their_own()
    {
        using var checkpoint = new RandomCheckpoint(TinyConfigs.ByModelType["gemma3_text"].Replace("\"rope_theta\": 1000000.0, \"rope_local_base_freq\": 10000.0",
            """ "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}} """), sentencePiece: true);
        var metadata = Metadata(checkpoint);
        Assert.Equal(1_000_000, metadata.Number("gemma3.rope.freq_base"));
        Assert.Equal(10_000, metadata.Number("gemma3.rope.freq_base_swa"));
        Assert.Equal("linear", metadata.String("gemma3.rope.scaling.type"));
        Assert.Equal(8, metadata.Number("gemma3.rope.scaling.factor"));
    }

    private static RandomCheckpoint Llama(string scaling) => new(TinyConfigs.ByModelType["llama"].Replace("\"attention_bias\": true", $"\"attention_bias\": true, \"rope_scaling\": {scaling}"));

    private static GgufMetadata Metadata(RandomCheckpoint checkpoint)
    {
        var plan = GgufConversion.Plan(ModelLocator.FromPath(checkpoint.Path), new() { FileName = "tiny.gguf", FileType = GgufFileType.Find("f16")! });
        Assert.True(GgufHeader.TryParse("plan", plan.Files[0].Header, null, out var header));
        return header.Metadata;
    }

    private static string Join(IEnumerable<double> values) => string.Join(',', values.Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture)));
}
