using System.Text.Json;

namespace Plimsoll.Quantization.HuggingFace.Layers;

/// <summary>The <c>quantization_config</c> of bitsandbytes, as transformers writes it (BitsAndBytesConfig.to_dict).</summary>
internal static class BitsAndBytesConfig
{
    /// <param name="fourBitType"><c>nf4</c> or <c>fp4</c>; null for LLM.int8().</param>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<string> plain, string? fourBitType, bool isDoubleQuantized)
    {
        json.WriteString("quant_method", "bitsandbytes");
        json.WriteBoolean("load_in_4bit", fourBitType is not null);
        json.WriteBoolean("load_in_8bit", fourBitType is null);
        json.WriteString("bnb_4bit_quant_type", fourBitType ?? "fp4");
        json.WriteBoolean("bnb_4bit_use_double_quant", isDoubleQuantized);
        json.WriteString("bnb_4bit_compute_dtype", "bfloat16");
        json.WriteString("bnb_4bit_quant_storage", "uint8");
        json.WriteNumber("llm_int8_threshold", 6.0);
        json.WriteStartArray("llm_int8_skip_modules");
        foreach (var module in plain)
            json.WriteStringValue(module);
        json.WriteEndArray();
        json.WriteBoolean("llm_int8_enable_fp32_cpu_offload", false);
        json.WriteBoolean("llm_int8_has_fp16_weight", false);
    }
}
