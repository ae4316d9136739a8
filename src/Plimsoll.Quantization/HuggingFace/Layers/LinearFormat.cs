using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers;

/// <summary>How one format stores the linear layers of a checkpoint, and how <c>config.json</c> says so.</summary>
internal abstract class LinearFormat
{
    /// <summary>The precision as typed: <c>gptq:4bit-g128</c>.</summary>
    public abstract string Name { get; }

    /// <summary>A sentence part for provenance and the report: <c>GPTQ 4-bit, group 128</c>.</summary>
    public abstract string Description { get; }

    /// <summary>Why a layer cannot be stored so, to follow "because"; null when it can.</summary>
    public abstract string? Obstacle(long outputs, long inputs);

    /// <summary>The key of the layers that an engine loads as one matrix and that must share a scale; null where each stands alone.</summary>
    /// <param name="module"><c>model.layers.0.self_attn.q_proj</c>.</param>
    public virtual string? FusedKey(string module) => null;

    /// <summary>The job that writes a layer, or the layers of one <see cref="FusedKey"/>, rounding to nearest.</summary>
    /// <param name="model">The type of the model's plain weights, which some formats give their scales.</param>
    public abstract WeightJob CreateJob(ImmutableArray<StoredWeight> layers, NumberFormat model);

    /// <summary>The job that moves the codes of a quantized layer without loss; null where the format cannot hold them.</summary>
    public virtual WeightJob? CreateTranscode(StoredWeight layer, NumberFormat model) => null;

    /// <summary>Writes the members of the <c>quantization_config</c> object.</summary>
    /// <param name="plain">Modules of linear layers that keep their precision, in the order of the checkpoint; the head is among them.</param>
    public abstract void WriteConfig(Utf8JsonWriter json, IReadOnlyList<string> plain);

    /// <summary>The output head, which every format leaves alone and every engine expects to be named so.</summary>
    public const string HeadModule = "lm_head";

    /// <summary>A file beside <c>config.json</c> with the same object, where older programs look for one.</summary>
    public virtual string? OwnConfigFile => null;

    /// <summary>An array of strings as a member.</summary>
    protected static void WriteList(Utf8JsonWriter json, string name, IEnumerable<string> items)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
            json.WriteStringValue(item);
        json.WriteEndArray();
    }
}
