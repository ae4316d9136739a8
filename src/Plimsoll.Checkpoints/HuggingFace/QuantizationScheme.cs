using System.Globalization;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>What one stored code stands for.</summary>
public enum QuantizationCode
{
    /// <summary>An integer times a scale, with or without a zero point.</summary>
    Integer,

    /// <summary>A small floating-point number times a scale: FP8, FP4.</summary>
    Float,

    /// <summary>bitsandbytes' table of 16 normal-distribution quantiles.</summary>
    NormalFloat,

    /// <summary>−1, 0 or 1.</summary>
    Ternary,

    /// <summary>An index into learnt vectors or a trellis; <see cref="QuantizationScheme.Bits"/> is the average.</summary>
    Codebook,
}

/// <summary>How many weights share one scale.</summary>
public enum QuantizationSharing
{
    /// <summary>All weights of a tensor.</summary>
    Tensor,

    /// <summary>One output row.</summary>
    Channel,

    /// <summary><see cref="QuantizationScheme.GroupSize"/> consecutive weights of a row.</summary>
    Group,

    /// <summary>A rectangle of <see cref="QuantizationScheme.Block"/> rows and columns.</summary>
    Block,

    /// <summary>The method has its own arrangement.</summary>
    Own,
}

/// <summary>A rectangle of weights that share a scale.</summary>
public readonly record struct QuantizationBlock(int Rows, int Columns)
{
    public override string ToString() => Rows == Columns ? $"{Rows}" : $"{Rows}x{Columns}";
}

/// <summary>How activations are quantized while the model runs; they cost no memory in the checkpoint beyond a scale.</summary>
/// <param name="Dynamic">Scales are computed while running instead of being stored.</param>
public sealed record QuantizedActivations(int Bits, QuantizationCode Code, bool Dynamic);

/// <summary>How the weights of a module are stored.</summary>
public sealed record QuantizationScheme
{
    public required QuantizationMethod Method { get; init; }

    /// <summary>Bits of one code, without scales; an average for codebook methods.</summary>
    public required double Bits { get; init; }

    public required QuantizationCode Code { get; init; }

    public required QuantizationSharing Sharing { get; init; }

    /// <summary>Weights per scale when <see cref="Sharing"/> is a group.</summary>
    public int? GroupSize { get; init; }

    public QuantizationBlock? Block { get; init; }

    /// <summary>No zero point; null where the question does not arise or the file does not say.</summary>
    public bool? Symmetric { get; init; }

    /// <summary>Groups follow the order of importance (<c>desc_act</c>): an index per input channel is stored.</summary>
    public bool ActOrder { get; init; }

    /// <summary>The scales are quantized themselves (bitsandbytes).</summary>
    public bool DoubleQuantized { get; init; }

    /// <summary>The format of the scales where it is not the model's own: <c>e8m0</c> (MX), <c>e4m3</c> (NVFP4).</summary>
    public string? ScaleFormat { get; init; }

    /// <summary>The layout variant of the method: <c>gemm</c> for AWQ, <c>Int4WeightOnlyConfig</c> for torchao.</summary>
    public string? Variant { get; init; }

    public QuantizedActivations? Activations { get; init; }

    /// <summary>LLM.int8(): inputs of this magnitude and more are kept in 16 bits, with their whole column; 0 keeps none, null where the question does not arise.</summary>
    public double? OutlierThreshold { get; init; }

    /// <summary>MXFP4, MXFP8: 32 floating-point codes share a power of two.</summary>
    public bool IsMx => Code == QuantizationCode.Float && ScaleFormat == "e8m0" && Sharing == QuantizationSharing.Group;

    /// <summary>NVFP4: 16 FP4 codes share an FP8 scale, and the tensor has an FP32 scale.</summary>
    public bool IsNvFp4 => Code == QuantizationCode.Float && ScaleFormat == "e4m3" && Bits == 4;

    /// <summary>The precision as the user types it: <c>gptq:4bit-g128</c>, <c>nf4-dq</c>, <c>fp8:block128</c>, <c>ct:w4a16-g128</c>, <c>mxfp4</c>.</summary>
    public string PrecisionName
    {
        get
        {
            if (IsNvFp4)
                return "nvfp4";
            if (IsMx)
                return $"mxfp{Number(Bits)}";
            var word = QuantizationMethods.Word(Method);
            var group = Sharing == QuantizationSharing.Group && GroupSize is { } size ? $"-g{size}" : "";
            return (Method, Code) switch
            {
                (_, QuantizationCode.Float) when Bits == 8 => Block is { } block ? $"fp8:block{block}" : "fp8",
                (QuantizationMethod.BitsAndBytes, QuantizationCode.Integer) => "int8",
                (QuantizationMethod.BitsAndBytes, _) => (Code == QuantizationCode.NormalFloat ? "nf4" : "fp4") + (DoubleQuantized ? "-dq" : ""),
                (QuantizationMethod.BitNet, _) => "bitnet",
                (QuantizationMethod.CompressedTensors, QuantizationCode.Integer) =>
                    $"ct:w{Number(Bits)}a{Activations?.Bits ?? 16}{group}{(Symmetric == false ? "-asym" : "")}",
                (_, QuantizationCode.Integer) when Bits == 8 && Sharing == QuantizationSharing.Channel && Method is not (QuantizationMethod.Gptq or QuantizationMethod.AutoRound) => "int8",
                _ => $"{word}:{Number(Bits)}bit{group}",
            };
        }
    }

    /// <summary>A sentence part for people: <c>GPTQ 4-bit, group 128, symmetric, act-order</c>.</summary>
    public string Describe()
    {
        var parts = new List<string> { Headline() };
        parts.Add(Sharing switch
        {
            QuantizationSharing.Group when Method == QuantizationMethod.BitsAndBytes => $"block {GroupSize}",
            QuantizationSharing.Group => $"group {GroupSize}",
            QuantizationSharing.Block => $"block {Block!.Value.Rows}×{Block.Value.Columns}",
            QuantizationSharing.Channel => "per channel",
            QuantizationSharing.Tensor => "per tensor",
            _ => "",
        });
        if (Code == QuantizationCode.Integer && Symmetric is { } symmetric)
            parts.Add(symmetric ? "symmetric" : "with zero points");
        if (ActOrder)
            parts.Add("act-order");
        if (DoubleQuantized)
            parts.Add("double quantization");
        if (Activations is { } activations)
            parts.Add($"{(activations.Dynamic ? "dynamic" : "static")} {activations.Bits}-bit activations");
        if (Variant is { } variant)
            parts.Add(variant);
        return string.Join(", ", parts.Where(part => part.Length > 0));
    }

    private string Headline()
    {
        var display = QuantizationMethods.Display(Method);
        var code = Code switch
        {
            _ when IsNvFp4 => "NVFP4",
            _ when IsMx => $"MXFP{Number(Bits)}",
            QuantizationCode.Float => $"FP{Number(Bits)}",
            QuantizationCode.NormalFloat => "NF4",
            QuantizationCode.Ternary => "ternary",
            QuantizationCode.Integer when Method == QuantizationMethod.BitsAndBytes => "LLM.int8()",
            _ => $"{Number(Bits)}-bit",
        };
        return display == code ? code : $"{display} {code}";
    }

    private static string Number(double bits) => bits.ToString("0.##", CultureInfo.InvariantCulture);
}
