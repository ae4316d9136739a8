using System.Text.Json;
using Plimsoll.Planning.Training.Jobs;
using Plimsoll.Torch.Decoders;
using Plimsoll.Torch.Saving;

namespace Plimsoll.Torch.Adapters;

/// <summary>Adapters as PEFT keeps them: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>. <c>PeftModel.from_pretrained(base, folder)</c> loads it.</summary>
internal static class AdapterFolder
{
    /// <exception cref="IOException">The disk is full, or cannot be written.</exception>
    public static void Write(string folder, TrainingJob job, Decoder decoder)
    {
        Directory.CreateDirectory(folder);
        var adapters = decoder.Layers.SelectMany(layer => layer.Linears).OfType<LoraLinear>().ToList();
        TensorFile.Write(Path.Combine(folder, "adapter_model.safetensors"), adapters.SelectMany(adapter => new[] { adapter.A, adapter.B }).Select(weight => SavedTensor.Of(weight.Name, weight.Value)), []);
        var modules = adapters.Select(adapter => PeftNames.LastOf(PeftNames.ModuleOf(adapter.Name))).Distinct().Order(StringComparer.Ordinal);
        WholeFile.Write(Path.Combine(folder, "adapter_config.json"), Config(job, modules));
    }

    private static byte[] Config(TrainingJob job, IEnumerable<string> modules)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("peft_type", "LORA");
            json.WriteString("task_type", "CAUSAL_LM");
            json.WriteString("base_model_name_or_path", job.Model);
            json.WriteNumber("r", job.Adapter!.Rank);
            json.WriteNumber("lora_alpha", job.Adapter.Alpha);
            json.WriteNumber("lora_dropout", 0.0);
            json.WriteStartArray("target_modules");
            foreach (var module in modules)
                json.WriteStringValue(module);
            json.WriteEndArray();
            json.WriteString("bias", "none");
            json.WriteBoolean("fan_in_fan_out", false);
            json.WriteBoolean("inference_mode", true);
            json.WriteBoolean("use_dora", false);
            json.WriteBoolean("use_rslora", false);
            json.WriteNull("modules_to_save");
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }
}
