using System.Text.Json;
using Plimsoll.Numerics;
using Plimsoll.Quantization.HuggingFace.Layers.Integers.Rounding;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>compressed-tensors <c>int-quantized</c>: a byte per weight and a scale per row; activations become bytes token by token while the model runs.</summary>
internal sealed class W8A8Format : IntegerFormat
{
    public override string Name => "ct:w8a8";

    public override string Description => "compressed-tensors W8A8 INT8, per channel";

    protected override IntegerRange Range => IntegerRange.Symmetric;

    public override string? Obstacle(long outputs, long inputs) => null;

    protected override IntegerPacking Packing(string module, long outputs, long inputs, NumberFormat model) => new IntQuantizedPacking(module, outputs, inputs, model);

    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<string> plain) => CompressedTensorsConfig.Write(json, "int-quantized", plain,
        weights: () => CompressedTensorsConfig.WriteNumbers(json, 8, "int", isSymmetric: true, "channel"),
        activations: () => CompressedTensorsConfig.WriteNumbers(json, 8, "int", isSymmetric: true, "token", isDynamic: true));
}

/// <summary>bitsandbytes LLM.int8(): a byte per weight and the largest magnitude of each row. Which activations are outliers is decided while the model runs.</summary>
internal sealed class LlmInt8Format : IntegerFormat
{
    public override string Name => "bnb-int8";

    public override string Description => "bitsandbytes LLM.int8()";

    protected override IntegerRange Range => IntegerRange.Restricted;

    public override string? Obstacle(long outputs, long inputs) => null;

    protected override IntegerPacking Packing(string module, long outputs, long inputs, NumberFormat model) => new LlmInt8Packing(module, outputs, inputs);

    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<string> plain) => BitsAndBytesConfig.Write(json, plain, fourBitType: null, isDoubleQuantized: false);
}
