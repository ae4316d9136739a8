using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics;

/// <summary>The floating-point element types.</summary>
/// <remarks>Layouts: IEEE 754-2019; OCP 8-bit Floating Point 1.0; OCP Microscaling Formats 1.0; NVIDIA Ampere white paper (TF32). Dtype names: safetensors.</remarks>
internal static class FloatFormats
{
    public static readonly NumberFormat[] All =
    [
        Float("FP64", FloatLayout.Fp64, 1, 8, "IEEE 754 binary64", ["f64", "float64", "double"], Engines.None, ggml: 28, safetensors: "F64"),
        Float("FP32", FloatLayout.Fp32, 1, 4, "IEEE 754 binary32", ["f32", "float32", "float", "single"], Engines.All, ggml: 0, safetensors: "F32"),
        Float("TF32", FloatLayout.Tf32, 1, 4, "FP32 in memory; tensor cores keep 10 mantissa bits", ["tfloat32", "tensorfloat32"], Engines.Torch),
        Float("FP16", FloatLayout.Fp16, 1, 2, "IEEE 754 binary16; overflows to infinity from 65520", ["f16", "float16", "half", "16bit"], Engines.All, ggml: 1, safetensors: "F16"),
        Float("BF16", FloatLayout.Bf16, 1, 2, "the upper half of FP32: same range, 8 significant bits", ["bfloat16"], Engines.All, ggml: 30, safetensors: "BF16"),
        Float("FP8_E4M3", FloatLayout.E4M3, 1, 1, "no infinity, one NaN per sign; weights, activations, KV cache; scales not counted",
            ["fp8", "e4m3", "e4m3fn", "fp8_e4m3fn", "float8", "float8_e4m3", "float8_e4m3fn", "f8_e4m3", "f8"], Engines.Torch, safetensors: "F8_E4M3"),
        Float("FP8_E5M2", FloatLayout.E5M2, 1, 1, "IEEE-like, with infinity; gradients, KV cache; scales not counted",
            ["e5m2", "float8_e5m2", "f8_e5m2"], Engines.Vllm, safetensors: "F8_E5M2"),
        Float("FP8_E4M3FNUZ", FloatLayout.E4M3Fnuz, 1, 1, "E4M3 of AMD MI300: bias 8, no negative zero",
            ["e4m3fnuz", "float8_e4m3fnuz", "f8_e4m3fnuz"], Engines.Vllm, safetensors: "F8_E4M3FNUZ"),
        Float("FP8_E5M2FNUZ", FloatLayout.E5M2Fnuz, 1, 1, "E5M2 of AMD MI300: bias 16, no infinity, no negative zero",
            ["e5m2fnuz", "float8_e5m2fnuz", "f8_e5m2fnuz"], Engines.None, safetensors: "F8_E5M2FNUZ"),
        PowerOfTwo,
        Float("FP6_E3M2", FloatLayout.E3M2, 4, 3, "OCP 6-bit float with range; no infinity, no NaN", ["e3m2", "f6_e3m2", "float6_e3m2fn"], Engines.None, safetensors: "F6_E3M2"),
        Float("FP6_E2M3", FloatLayout.E2M3, 4, 3, "OCP 6-bit float with precision; no infinity, no NaN", ["fp6", "e2m3", "f6_e2m3", "float6_e2m3fn"], Engines.None, safetensors: "F6_E2M3"),
        Float("FP4", FloatLayout.E2M1, 2, 1, "E2M1, the codes inside MXFP4 and NVFP4: 0, 0.5, 1, 1.5, 2, 3, 4, 6; scales not counted",
            ["e2m1", "fp4_e2m1", "f4", "float4", "float4_e2m1fn"], Engines.None, safetensors: "F4"),
        new()
        {
            Name = "C64",
            Kind = NumberFormatKind.Float,
            BlockLength = 1,
            BlockBytes = 8,
            Summary = "a complex number of two FP32",
            Aliases = ["complex64"],
            SafetensorsType = "C64",
        },
    ];

    private static NumberFormat PowerOfTwo => new()
    {
        Name = "E8M0",
        Kind = NumberFormatKind.Float,
        BlockLength = 1,
        BlockBytes = 1,
        ExponentBits = 8,
        MantissaBits = 0,
        IsSigned = false,
        MaxValue = E8M0.Decode(E8M0.Nan - 1),
        MinNormal = E8M0.Decode(0),
        Summary = "a power of two, the block scale of the MX formats; no zero, 255 is NaN",
        Aliases = ["e8m0fnu", "float8_e8m0fnu", "f8_e8m0", "ue8m0"],
        SafetensorsType = "F8_E8M0",
    };

    private static NumberFormat Float(
        string name, FloatLayout layout, int blockLength, int blockBytes, string summary, string[] aliases, string[] engines, int? ggml = null, string? safetensors = null) => new()
        {
            Name = name,
            Kind = NumberFormatKind.Float,
            BlockLength = blockLength,
            BlockBytes = blockBytes,
            Layout = layout,
            ExponentBits = layout.ExponentBits,
            MantissaBits = layout.MantissaBits,
            MaxValue = layout.MaxValue,
            MinNormal = layout.MinNormal,
            MinSubnormal = layout.MinSubnormal,
            Summary = summary,
            Aliases = aliases,
            Engines = engines,
            GgmlType = ggml,
            SafetensorsType = safetensors,
        };
}
