using System.Text.Json;
using System.Text.RegularExpressions;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>GPTQ checkpoints: symmetric ones in version 1, which every engine reads, with zero points in version 2, as version 1 cannot hold a zero point of 0.</summary>
/// <param name="bits">2, 3, 4 or 8.</param>
/// <param name="group">Inputs that share a scale; −1 for whole rows.</param>
internal sealed class GptqFormat(int bits, int group, bool isSymmetric) : IntegerFormat
{
    public override string Name => $"gptq:{bits}bit-g{group}{(isSymmetric ? "" : "-asym")}";

    public override string Description => $"GPTQ {bits}-bit, {GroupText(group)}{(isSymmetric ? "" : ", with zero points")}";

    public override string? OwnConfigFile => "quantize_config.json";

    protected override IntegerRange Range => isSymmetric ? IntegerRange.Symmetric : IntegerRange.Asymmetric;

    public override string? Obstacle(long outputs, long inputs) =>
        inputs % 32 != 0 || outputs % 32 != 0 ? "GPTQ packs 32 inputs and 32 outputs at a time" : GroupObstacle(inputs, group);

    protected override IntegerPacking Packing(string module, long outputs, long inputs, NumberFormat model) =>
        new GptqPacking(module, outputs, inputs, bits, group, isVersion2: !isSymmetric, isSymmetric);

    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<string> plain)
    {
        json.WriteString("quant_method", "gptq");
        json.WriteNumber("bits", bits);
        json.WriteNumber("group_size", group);
        json.WriteBoolean("sym", isSymmetric);
        json.WriteBoolean("desc_act", false);
        json.WriteBoolean("lm_head", false);
        json.WriteString("checkpoint_format", isSymmetric ? "gptq" : "gptq_v2");
        json.WriteString("pack_dtype", "int32");
        var exceptions = plain.Where(module => module != HeadModule).ToList();
        if (exceptions.Count > 0)
        {
            // "-:" and a regular expression: a module that keeps its precision.
            json.WriteStartObject("dynamic");
            foreach (var module in exceptions)
            {
                json.WriteStartObject($"-:^{Regex.Escape(module)}$");
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        json.WriteStartObject("meta");
        WriteList(json, "quantizer", ["plimsoll"]);
        json.WriteEndObject();
    }
}
