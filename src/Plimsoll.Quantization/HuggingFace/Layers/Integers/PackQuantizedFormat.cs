using System.Text.Json;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>compressed-tensors <c>pack-quantized</c>: weights of 2 to 8 bits, activations in 16.</summary>
/// <param name="group">Inputs that share a scale; −1 for whole rows.</param>
internal sealed class PackQuantizedFormat(int bits, int group, bool isSymmetric) : IntegerFormat
{
    public override string Name => $"ct:w{bits}a16{(group < 0 && bits == 8 ? "" : $"-g{group}")}{(isSymmetric ? "" : "-asym")}";

    public override string Description => $"compressed-tensors W{bits}A16, {GroupText(group)}{(isSymmetric ? "" : ", with zero points")}";

    protected override IntegerRange Range => isSymmetric ? IntegerRange.Symmetric : IntegerRange.Asymmetric;

    public override string? Obstacle(long outputs, long inputs) => GroupObstacle(inputs, group);

    protected override IntegerPacking Packing(string module, long outputs, long inputs, NumberFormat model) =>
        new StreamPacking(module, outputs, inputs, bits, group, isSymmetric, model);

    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<string> plain) => CompressedTensorsConfig.Write(json, "pack-quantized", plain, weights: () =>
    {
        CompressedTensorsConfig.WriteNumbers(json, bits, "int", isSymmetric, group < 0 ? "channel" : "group", group < 0 ? null : group);
    });
}
