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

    /// <summary>The family of a precision as the user types it.</summary>
    public static string Of(string precision)
    {
        var name = precision.ToLowerInvariant();
        if (name.StartsWith("gguf:", StringComparison.Ordinal))
            return name.EndsWith("f16", StringComparison.Ordinal) || name.EndsWith("f32", StringComparison.Ordinal) ? Float16 : Ggml;
        if (name.Contains("fp8", StringComparison.Ordinal) || name.Contains("f8", StringComparison.Ordinal))
            return Float8;
        if (name.Contains("mxfp4", StringComparison.Ordinal) || name.Contains("nvfp4", StringComparison.Ordinal))
            return Float4;
        if (name.Contains("nf4", StringComparison.Ordinal) || name.Contains("fp4", StringComparison.Ordinal))
            return BitsAndBytes4;
        if (name.Contains("16", StringComparison.Ordinal) && !name.Contains("w4", StringComparison.Ordinal) && !name.Contains("w8", StringComparison.Ordinal)
            || name.Contains("32", StringComparison.Ordinal) && !name.Contains(':', StringComparison.Ordinal))
            return Float16;
        if (name.Contains("8bit", StringComparison.Ordinal) || name.Contains("int8", StringComparison.Ordinal) || name.Contains("w8", StringComparison.Ordinal))
            return Int8;
        return name.StartsWith("awq", StringComparison.Ordinal) ? Awq4 : name.StartsWith('q') || name.StartsWith("iq", StringComparison.Ordinal) ? Ggml : Gptq4;
    }

    /// <summary>The number type in which the matrix units multiply a prompt. Weight-only quantization computes in 16 bits.</summary>
    public static Gpus.RateKind ComputeRate(string weightClass) => weightClass == Float8 ? Gpus.RateKind.Fp8 : Gpus.RateKind.Fp16;
}
