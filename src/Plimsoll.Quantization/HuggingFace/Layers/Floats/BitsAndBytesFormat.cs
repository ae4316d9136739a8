using System.Collections.Immutable;
using System.Text.Json;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Quantizers;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Floats;

/// <summary>bitsandbytes NF4 and FP4: blocks of 64 consecutive weights, their scales optionally quantized themselves.</summary>
internal sealed class BitsAndBytesFormat(bool isNf4, bool isDoubleQuantized) : LinearFormat
{
    private readonly string type = isNf4 ? "nf4" : "fp4";

    public override string Name => type + (isDoubleQuantized ? "-dq" : "");

    public override string Description => $"bitsandbytes {type.ToUpperInvariant()}, block {BitsAndBytesJob.BlockLength}{(isDoubleQuantized ? ", double quantization" : "")}";

    public override string? Obstacle(long outputs, long inputs) => null;

    public override WeightJob CreateJob(ImmutableArray<StoredWeight> layers, NumberFormat model) =>
        new BitsAndBytesJob(layers[0], isNf4 ? CodebookQuantizer.Nf4 : CodebookQuantizer.Fp4, type, isDoubleQuantized, model, Description);

    public override void WriteConfig(Utf8JsonWriter json, IReadOnlyList<string> plain) => BitsAndBytesConfig.Write(json, plain, type, isDoubleQuantized);
}
