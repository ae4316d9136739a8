using System.Text.Json;
using Plimsoll.Checkpoints.HuggingFace;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace.Layers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>The <c>config.json</c> of the output: the source's, with the quantization that the new files have and the type that a cast gives.</summary>
public static class ConfigFile
{
    private static readonly string[] Quantization = ["quantization_config", "compression_config", "quantization"];

    /// <summary>The second name is that of transformers 5.</summary>
    private static readonly string[] ElementType = ["torch_dtype", "dtype"];

    internal static SideFile Rewrite(SourceLayers source, HuggingFaceRecipe recipe, IReadOnlyList<string> plainModules) => new("config.json", JsonText.Write(json =>
    {
        WriteMembers(json, source.Config.Root, recipe.Plain);
        if (recipe.Linear is { } linear)
        {
            json.WriteStartObject("quantization_config");
            linear.WriteConfig(json, plainModules);
            json.WriteEndObject();
        }
    }), null);

    /// <summary>The source's configuration for a checkpoint of plain numbers.</summary>
    public static SideFile Cast(ModelConfig config, NumberFormat type) => new("config.json", JsonText.Write(json => WriteMembers(json, config.Root, type)), null);

    /// <summary>The quantization alone, in a file of its own.</summary>
    internal static SideFile Own(string name, LinearFormat linear, IReadOnlyList<string> plainModules) =>
        new(name, JsonText.Write(json => linear.WriteConfig(json, plainModules)), null);

    private static void WriteMembers(Utf8JsonWriter json, JsonElement config, NumberFormat? plain)
    {
        foreach (var member in config.EnumerateObject())
        {
            if (Quantization.Contains(member.Name))
                continue;
            if (plain is not null && ElementType.Contains(member.Name) && member.Value.ValueKind == JsonValueKind.String)
            {
                json.WriteString(member.Name, TorchName(plain));
            }
            else if (member.Name.EndsWith("_config", StringComparison.Ordinal) && member.Value.ValueKind == JsonValueKind.Object)
            {
                json.WriteStartObject(member.Name);
                WriteMembers(json, member.Value, plain);
                json.WriteEndObject();
            }
            else
            {
                member.WriteTo(json);
            }
        }
    }

    private static string TorchName(NumberFormat format) =>
        format == NumberFormats.Bf16 ? "bfloat16" : format == NumberFormats.Fp16 ? "float16" : "float32";
}
