using System.Text.Json;
using Plimsoll.Evaluation;

namespace Plimsoll.Cli.Quantize.Sizing;

/// <summary>The member <c>allocation</c> of what <c>quantize</c> answers.</summary>
internal static class SizingJson
{
    public static void Write(Utf8JsonWriter json, SizingResult result)
    {
        json.WriteStartObject("allocation");
        json.WriteString("target", result.Goal.ToString());
        json.WriteNumber("tensor_bytes", result.Allocation.Bytes);
        json.WriteNumber("least_tensor_bytes", result.LeastBytes);
        json.WriteNumber("predictions", result.Predictions);
        json.WriteNumber("expected_kl_divergence", result.Allocation.Divergence);
        Write(json, "kl_divergence", result.Divergence);
        if (result.Standard is { } standard)
        {
            json.WriteStartObject("standard");
            json.WriteString("format", $"gguf:{standard.Name}");
            json.WriteNumber("tensor_bytes", standard.Allocation.Bytes);
            json.WriteNumber("expected_kl_divergence", standard.Allocation.Divergence);
            Write(json, "kl_divergence", standard.Divergence);
            json.WriteEndObject();
        }
        json.WriteArray("tensors", result.Allocation.Tensors, tensor =>
        {
            json.WriteStartObject();
            json.WriteString("name", tensor.Tensor.Name);
            json.WriteString("type", tensor.Type.Name);
            json.WriteNumber("bits_per_weight", tensor.BitsPerWeight);
            json.WriteNumber("expected_kl_divergence", tensor.Divergence);
            json.WriteEndObject();
        });
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, Divergence divergence)
    {
        json.WriteNumber(name, divergence.Mean.Value);
        json.WriteNumber($"{name}_stderr", divergence.Mean.Error);
    }
}
