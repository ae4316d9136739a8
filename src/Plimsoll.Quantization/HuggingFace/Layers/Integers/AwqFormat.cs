using System.Text.Json;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>AWQ checkpoints, version <c>gemm</c>: four bits with zero points.</summary>
/// <param name="group">Inputs that share a scale; −1 for whole rows.</param>
internal sealed class AwqFormat(int group) : IntegerFormat
{
    public override string Name => $"awq:4bit-g{group}";

    public override string Description => $"AWQ 4-bit, {GroupText(group)}";

    protected override IntegerRange Range => IntegerRange.Asymmetric;

    public override string? Obstacle(long outputs, long inputs) =>
        outputs % 8 != 0 ? "AWQ packs eight outputs at a time" : GroupObstacle(inputs, group);

    protected override IntegerPacking Packing(string module, long outputs, long inputs, NumberFormat model) => new AwqPacking(module, outputs, inputs, group);

    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<string> plain)
    {
        json.WriteString("quant_method", "awq");
        json.WriteNumber("bits", 4);
        json.WriteNumber("group_size", group);
        json.WriteBoolean("zero_point", true);
        json.WriteString("version", "gemm");
        // Matched as parts of names; the head is left alone without being listed.
        var exceptions = plain.Where(module => module != HeadModule).ToList();
        if (exceptions.Count > 0)
            WriteList(json, "modules_to_not_convert", exceptions);
        else
            json.WriteNull("modules_to_not_convert");
    }
}
