using System.Collections.Frozen;

namespace Plimsoll.Checkpoints.HuggingFace;

/// <summary>Which program's checkpoint layout the weights have.</summary>
public enum QuantizationMethod
{
    /// <summary>A method that this product does not know. Its name is kept, its numbers are not guessed.</summary>
    Unknown,
    Gptq,
    Awq,
    BitsAndBytes,
    CompressedTensors,
    Fp8,
    FbgemmFp8,
    ModelOpt,
    Mxfp4,
    TorchAo,
    Hqq,
    AutoRound,
    Eetq,
    Quanto,
    Quark,
    BitNet,
    Vptq,
    Aqlm,
    Exl2,
    Exl3,
    Higgs,
    Spqr,
    FpQuant,
    Mlx,
}

/// <summary>The table of the methods: the value of <c>quant_method</c>, the word in precision names, and the name that people use.</summary>
internal static class QuantizationMethods
{
    private static readonly (QuantizationMethod Method, string Display, string Word, string[] Names)[] Table =
    [
        (QuantizationMethod.Gptq, "GPTQ", "gptq", ["gptq", "gptq_marlin", "marlin"]),
        (QuantizationMethod.Awq, "AWQ", "awq", ["awq", "awq_marlin"]),
        (QuantizationMethod.BitsAndBytes, "bitsandbytes", "bnb", ["bitsandbytes"]),
        (QuantizationMethod.CompressedTensors, "compressed-tensors", "ct", ["compressed-tensors", "compressed_tensors", "sparseml"]),
        (QuantizationMethod.Fp8, "FP8", "fp8", ["fp8"]),
        (QuantizationMethod.FbgemmFp8, "FBGEMM", "fbgemm", ["fbgemm_fp8"]),
        (QuantizationMethod.ModelOpt, "ModelOpt", "modelopt", ["modelopt", "modelopt_fp4", "modelopt_fp8", "modelopt_mixed"]),
        (QuantizationMethod.Mxfp4, "MXFP4", "mxfp4", ["mxfp4"]),
        (QuantizationMethod.TorchAo, "torchao", "torchao", ["torchao"]),
        (QuantizationMethod.Hqq, "HQQ", "hqq", ["hqq"]),
        (QuantizationMethod.AutoRound, "AutoRound", "autoround", ["auto-round", "auto_round", "intel/auto-round"]),
        (QuantizationMethod.Eetq, "EETQ", "eetq", ["eetq"]),
        (QuantizationMethod.Quanto, "Quanto", "quanto", ["quanto"]),
        (QuantizationMethod.Quark, "Quark", "quark", ["quark"]),
        (QuantizationMethod.BitNet, "BitNet", "bitnet", ["bitnet"]),
        (QuantizationMethod.Vptq, "VPTQ", "vptq", ["vptq"]),
        (QuantizationMethod.Aqlm, "AQLM", "aqlm", ["aqlm"]),
        (QuantizationMethod.Exl2, "EXL2", "exl2", ["exl2"]),
        (QuantizationMethod.Exl3, "EXL3", "exl3", ["exl3"]),
        (QuantizationMethod.Higgs, "HIGGS", "higgs", ["higgs"]),
        (QuantizationMethod.Spqr, "SpQR", "spqr", ["spqr"]),
        (QuantizationMethod.FpQuant, "FP-Quant", "fpquant", ["fp_quant"]),
        (QuantizationMethod.Mlx, "MLX", "mlx", ["mlx"]),
    ];

    private static readonly FrozenDictionary<string, QuantizationMethod> ByName =
        Table.SelectMany(row => row.Names.Select(name => (name, row.Method))).ToFrozenDictionary(pair => pair.name, pair => pair.Method, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<QuantizationMethod, (string Display, string Word)> ByMethod =
        Table.ToFrozenDictionary(row => row.Method, row => (row.Display, row.Word));

    public static QuantizationMethod Find(string name) => ByName.GetValueOrDefault(name);

    public static string Display(QuantizationMethod method) => ByMethod.TryGetValue(method, out var names) ? names.Display : "unknown";

    public static string Word(QuantizationMethod method) => ByMethod.TryGetValue(method, out var names) ? names.Word : "unknown";
}
