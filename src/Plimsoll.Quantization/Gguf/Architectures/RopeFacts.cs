using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Checkpoints.HuggingFace;

namespace Plimsoll.Quantization.Gguf.Architectures;

/// <summary>What a configuration says about rotary embeddings: <c>rope_parameters</c> of today's transformers, or <c>rope_scaling</c> and the keys beside it.</summary>
/// <remarks>Where layers with windows and layers without have settings of their own (<c>full_attention</c>, <c>sliding_attention</c>), those without count.</remarks>
internal sealed class RopeFacts
{
    private static readonly string[] ThetaNames = ["global_rope_theta", "rope_global_theta", "rope_theta_global", "rope_theta", "rotary_emb_base"];
    private static readonly string[] WindowThetaNames = ["local_rope_theta", "rope_local_theta", "rope_theta_local", "swa_rope_theta", "rope_local_base_freq"];

    private readonly ModelConfig? parameters;
    private readonly string path;

    public RopeFacts(GgufModel model)
    {
        path = model.ConfigPath;
        var stated = model.Object("rope_parameters") ?? model.Object("rope_scaling");
        parameters = stated?.Object("full_attention") ?? stated;
        Theta = Number("rope_theta") ?? model.Number(ThetaNames);
        WindowTheta = stated?.Object("sliding_attention")?.Number("rope_theta") is { } theta ? (float)theta : model.Number(WindowThetaNames);
        Type = (parameters?.String("rope_type", "type"))?.ToLowerInvariant();
        PartialFactor = Number("partial_rotary_factor") ?? model.Number("partial_rotary_factor", "rotary_pct", "rope_pct", "rope_percent");
        OriginalContext = (uint?)parameters?.Integer("original_max_position_embeddings") ?? model.Integer("original_max_position_embeddings");
    }

    /// <summary>The base of the frequencies; null when the configuration leaves it to the default of 10000.</summary>
    public float? Theta { get; }

    /// <summary>The base in layers with a window, where they have their own.</summary>
    public float? WindowTheta { get; }

    /// <summary>The kind of scaling: <c>llama3</c>, <c>yarn</c>, <c>linear</c>, <c>longrope</c>, …</summary>
    public string? Type { get; }

    /// <summary>The part of a head that is rotated.</summary>
    public float? PartialFactor { get; }

    /// <summary>The context before it was extended, in tokens.</summary>
    public uint? OriginalContext { get; }

    public float? Number(string name, params ReadOnlySpan<string> alternatives) => parameters?.Number(name, alternatives) is { } value ? (float)value : null;

    /// <summary>A list of numbers such as <c>long_factor</c>; null when absent.</summary>
    public ImmutableArray<float>? Numbers(string name)
    {
        if (parameters is null || !parameters.Root.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null)
            return null;
        if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(value => value.ValueKind != JsonValueKind.Number))
            throw new CheckpointFormatException(path, null, $"a list of numbers as {name}", list.ValueKind.ToString());
        return [.. list.EnumerateArray().Select(value => value.GetSingle())];
    }

    /// <summary>The factors by which Llama 3.1 and later divide each frequency, (head_dim / 2); null for other scalings.</summary>
    /// <remarks>Wavelengths below a bound are kept, above another scaled, between them interpolated. Source: transformers, modeling_rope_utils.py (llama3).</remarks>
    public ImmutableArray<float>? Llama3Factors(int headDim)
    {
        if (Type != "llama3")
            return null;
        var (theta, factor) = (Theta ?? 10000f, Number("factor") ?? 8f);
        var (low, high) = (Number("low_freq_factor") ?? 1f, Number("high_freq_factor") ?? 4f);
        var context = (float)(OriginalContext ?? 8192);
        var factors = ImmutableArray.CreateBuilder<float>(headDim / 2);
        for (var index = 0; index < headDim; index += 2)
        {
            var wavelength = 2 * Math.PI * Math.Pow(theta, index / (double)headDim);
            if (wavelength < context / high)
                factors.Add(1);
            else if (wavelength > context / low)
                factors.Add(factor);
            else
            {
                var smooth = (context / wavelength - low) / (high - low);
                factors.Add((float)(1 / ((1 - smooth) / factor + smooth)));
            }
        }
        return factors.MoveToImmutable();
    }
}
