namespace Plimsoll.Planning.Gpus;

/// <summary>The number types whose dense matrix rates the catalog holds, in TFLOPS (TOPS for integers), never with sparsity.</summary>
public enum RateKind
{
    /// <summary>FP32 on the shader cores.</summary>
    Fp32,
    Tf32,

    /// <summary>FP16 products accumulated in FP32. On GPUs without matrix units, the FP16 shader rate.</summary>
    Fp16,

    /// <summary>FP16 products accumulated in FP16: twice the rate on GeForce cards.</summary>
    Fp16Accumulate16,
    Bf16,
    Fp8,
    Int8,
    Int4,
    Fp4,
}

/// <summary>The names of the rates in catalog files and JSON answers.</summary>
public static class GpuRates
{
    private static readonly (string Name, RateKind Kind)[] Table =
    [
        ("fp32", RateKind.Fp32), ("tf32", RateKind.Tf32), ("fp16", RateKind.Fp16), ("fp16_fp16acc", RateKind.Fp16Accumulate16), ("bf16", RateKind.Bf16),
        ("fp8", RateKind.Fp8), ("int8", RateKind.Int8), ("int4", RateKind.Int4), ("fp4", RateKind.Fp4),
    ];

    public static IEnumerable<string> Names => Table.Select(pair => pair.Name);

    public static string NameOf(RateKind kind) => Table[(int)kind].Name;

    public static RateKind? Find(string name) => Array.FindIndex(Table, pair => pair.Name == name) is var i and >= 0 ? Table[i].Kind : null;
}
