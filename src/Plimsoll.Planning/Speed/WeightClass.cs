namespace Plimsoll.Planning.Speed;

/// <summary>The kernel family that multiplies with weights of a precision: the speed constants are fitted per family.</summary>
internal static class WeightClass
{
    public const string Float16 = "f16";
    public const string Float8 = "fp8";
    public const string Float4 = "fp4";
    public const string Int8 = "int8";
    public const string Gptq4 = "gptq4";
    public const string Awq4 = "awq4";
    public const string BitsAndBytes4 = "nf4";
    public const string Ggml = "ggml";

    /// <summary>The family of a precision, by the name of its scheme.</summary>
    public static string Of(string precision)
    {
        var name = precision.ToLowerInvariant();
        var method = name.Split(':')[0];
        return method switch
        {
            "gguf" => name.EndsWith("f16", StringComparison.Ordinal) || name.EndsWith("f32", StringComparison.Ordinal) ? Float16 : Ggml,
            "fp32" or "tf32" or "bf16" or "fp16" => Float16,
            "fp8" => Float8,
            "mxfp4" or "nvfp4" => Float4,
            "awq" => Awq4,
            "nf4" or "nf4-dq" or "fp4" => BitsAndBytes4,
            "int8" or "bnb-int8" => Int8,
            _ when name.Contains("8bit", StringComparison.Ordinal) || name.Contains(":w8", StringComparison.Ordinal) => Int8,
            _ => Gptq4,
        };
    }

    /// <summary>The number type in which the matrix units multiply a prompt. Weight-only quantization computes in 16 bits.</summary>
    public static Gpus.RateKind ComputeRate(string weightClass) => weightClass == Float8 ? Gpus.RateKind.Fp8 : Gpus.RateKind.Fp16;
}
