namespace Plimsoll.Numerics;

/// <summary>The block formats of the Hugging Face world: codes and scales together, per group of elements.</summary>
/// <remarks>
/// A checkpoint stores them as several tensors (codes, scales, nested scales), so none but FP4 codes has a safetensors dtype; the block here is what they cost together.
/// Sources: bitsandbytes functional.py (block 64; nested block 256); OCP Microscaling Formats 1.0 (32 elements, one E8M0 scale); compressed-tensors (NVFP4: 16 elements, one E4M3 scale).
/// </remarks>
internal static class BlockFormats
{
    public static readonly NumberFormat[] All =
    [
        Block("NF4", 64, 32 + 4, "bitsandbytes: 64 codes of the NormalFloat codebook, one FP32 absmax", ["normalfloat4", "bnb_4bit", "bnb_nf4"], Engines.Torch),
        // 64 × 256 elements: 8192 bytes of codes, 256 one-byte absmaxes, one nested FP32 absmax. The FP32 offset per tensor is not counted.
        Block("NF4_DQ", 64 * 256, 8192 + 256 + 4, "NF4 whose absmaxes are 8-bit codes with one FP32 per 256 (double quantization)", ["nf4_double_quant", "nf4_double", "nf4dq", "bnb_nf4_dq"], Engines.Torch),
        Block("FP4_BNB", 64, 32 + 4, "bitsandbytes: 64 codes of its own 4-bit float, one FP32 absmax", ["bnb_fp4"], Engines.Torch),
        Block("MXFP8", 32, 32 + 1, "OCP microscaling: 32 E4M3 codes, one E8M0 scale", ["mxfp8_e4m3"], Engines.Vllm),
        Block("MXFP6", 32, 24 + 1, "OCP microscaling: 32 six-bit floats, one E8M0 scale", ["mxfp6_e2m3", "mxfp6_e3m2"], Engines.None),
        // ggml packs element j with j+16 in a byte, Hugging Face j with j+1: the same numbers in the same bytes per block, so one format.
        Block("MXFP4", 32, 16 + 1, "OCP microscaling: 32 E2M1 codes, one E8M0 scale (gpt-oss)", ["mx4"], Engines.All, ggml: 39),
        // The FP32 scale per tensor is not counted.
        Block("NVFP4", 16, 8 + 1, "16 E2M1 codes, one E4M3 scale, and one FP32 per tensor", ["nv4"], Engines.Torch),
    ];

    private static NumberFormat Block(string name, int length, int bytes, string summary, string[] aliases, string[] engines, int? ggml = null) => new()
    {
        Name = name,
        Kind = NumberFormatKind.Block,
        BlockLength = length,
        BlockBytes = bytes,
        Summary = summary,
        Aliases = aliases,
        Engines = engines,
        GgmlType = ggml,
    };
}
