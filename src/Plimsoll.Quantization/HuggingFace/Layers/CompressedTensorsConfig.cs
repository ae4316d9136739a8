using System.Text.Json;

namespace Plimsoll.Quantization.HuggingFace.Layers;

/// <summary>The <c>quantization_config</c> of compressed-tensors, as llm-compressor writes it.</summary>
internal static class CompressedTensorsConfig
{
    /// <param name="weights">Writes the members of the object "weights".</param>
    /// <param name="activations">Writes those of "input_activations"; null where activations stay in 16 bits.</param>
    public static void Write(Utf8JsonWriter json, string format, IReadOnlyList<string> plain, Action weights, Action? activations = null)
    {
        json.WriteString("quant_method", "compressed-tensors");
        json.WriteString("format", format);
        json.WriteString("quantization_status", "compressed");
        json.WriteNull("global_compression_ratio");
        json.WriteNull("kv_cache_scheme");
        json.WriteStartArray("ignore");
        foreach (var module in plain)
            json.WriteStringValue(module);
        json.WriteEndArray();
        json.WriteStartObject("config_groups");
        json.WriteStartObject("group_0");
        json.WriteStartArray("targets");
        json.WriteStringValue("Linear");
        json.WriteEndArray();
        json.WriteString("format", format);
        WriteObject(json, "input_activations", activations);
        json.WriteNull("output_activations");
        WriteObject(json, "weights", weights);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <param name="type"><c>int</c> or <c>float</c>.</param>
    /// <param name="strategy">What shares a scale: <c>tensor</c>, <c>channel</c>, <c>group</c>, <c>block</c>, <c>tensor_group</c>, <c>token</c>.</param>
    /// <param name="scaleType">The element type of the scales, where the format fixes it.</param>
    public static void WriteNumbers(
        Utf8JsonWriter json, int bits, string type, bool isSymmetric, string strategy, int? group = null, bool isDynamic = false, int? blockSide = null, string? scaleType = null)
    {
        json.WriteNumber("num_bits", bits);
        json.WriteString("type", type);
        json.WriteBoolean("symmetric", isSymmetric);
        json.WriteString("strategy", strategy);
        if (group is { } size)
            json.WriteNumber("group_size", size);
        else
            json.WriteNull("group_size");
        json.WriteBoolean("dynamic", isDynamic);
        json.WriteNull("actorder");
        if (blockSide is { } side)
        {
            json.WriteStartArray("block_structure");
            json.WriteNumberValue(side);
            json.WriteNumberValue(side);
            json.WriteEndArray();
        }
        else
        {
            json.WriteNull("block_structure");
        }
        if (scaleType is not null)
            json.WriteString("scale_dtype", scaleType);
        if (isDynamic)
            json.WriteNull("observer");
        else
            json.WriteString("observer", "minmax");
        json.WriteStartObject("observer_kwargs");
        json.WriteEndObject();
    }

    private static void WriteObject(Utf8JsonWriter json, string name, Action? members)
    {
        if (members is null)
        {
            json.WriteNull(name);
            return;
        }
        json.WriteStartObject(name);
        members();
        json.WriteEndObject();
    }
}
