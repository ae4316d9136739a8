namespace Plimsoll.Numerics;

/// <summary>The block types of GGUF files, with ggml's own names and type ids.</summary>
/// <remarks>
/// Block lengths and bytes: ggml-common.h and ggml.h as of August 2026. The ids 4, 5, 31–33 and 36–38 were removed from ggml and stay unknown.
/// ggml's plain types (F32, F16, BF16, F64, I8 … I64) are in the other tables, MXFP4 (39) among <see cref="BlockFormats"/>.
/// </remarks>
internal static class GgmlFormats
{
    public static readonly NumberFormat[] All =
    [
        Block("Q8_0", 8, 32, 34, "FP16 scale, 32 signed bytes", "q8"),
        Block("Q5_1", 7, 32, 24, "FP16 scale and minimum, 32 five-bit codes"),
        Block("Q5_0", 6, 32, 22, "FP16 scale, 32 five-bit codes"),
        Block("Q4_1", 3, 32, 20, "FP16 scale and minimum, 32 four-bit codes"),
        Block("Q4_0", 2, 32, 18, "FP16 scale, 32 four-bit codes"),
        Block("IQ4_NL", 20, 32, 18, "FP16 scale, 32 codes of a non-linear codebook"),
        Block("Q6_K", 14, 256, 210, "FP16 scale, 16 sub-blocks of 16 six-bit codes with 8-bit scales"),
        Block("Q5_K", 13, 256, 176, "FP16 scale and minimum, 8 sub-blocks of 32 five-bit codes with 6-bit scales and minimums"),
        Block("Q4_K", 12, 256, 144, "FP16 scale and minimum, 8 sub-blocks of 32 four-bit codes with 6-bit scales and minimums"),
        Block("Q3_K", 11, 256, 110, "FP16 scale, 16 sub-blocks of 16 three-bit codes with 6-bit scales"),
        Block("Q2_K", 10, 256, 84, "FP16 scale and minimum, 16 sub-blocks of 16 two-bit codes with 4-bit scales and minimums"),
        Block("IQ4_XS", 23, 256, 136, "FP16 scale, 8 sub-blocks of 32 codes of the IQ4_NL codebook with 6-bit scales"),
        Block("IQ3_S", 21, 256, 110, "lattice of 512 × 4 magnitudes, plain sign bits, 4-bit scales"),
        Block("IQ3_XXS", 18, 256, 98, "lattice of 256 × 4 magnitudes, packed signs, 4-bit scales"),
        Block("IQ2_S", 22, 256, 82, "lattice of 1024 × 8 magnitudes, plain sign bits, 4-bit scales"),
        Block("IQ2_XS", 17, 256, 74, "lattice of 512 × 8 magnitudes, packed signs, 4-bit scales"),
        Block("IQ2_XXS", 16, 256, 66, "lattice of 256 × 8 magnitudes, packed signs, 4-bit scales"),
        Block("IQ1_M", 29, 256, 56, "ternary lattice of 2048 × 8, 3-bit scales per 16, a shift per 8"),
        Block("IQ1_S", 19, 256, 50, "ternary lattice of 2048 × 8, 3-bit scales and a shift per 32"),
        Block("TQ2_0", 35, 256, 66, "FP16 scale, 256 codes −1, 0, 1 in two bits each (BitNet, TriLM)"),
        Block("TQ1_0", 34, 256, 54, "FP16 scale, 256 codes −1, 0, 1, five to a byte (BitNet, TriLM)"),
        Block("Q2_0", 42, 64, 18, "FP16 scale, 64 two-bit codes"),
        Block("Q1_0", 41, 128, 18, "FP16 scale, 128 sign bits"),
        // Hugging Face groups 16 elements; ggml always 64, so a row must be a multiple of 64 here.
        Block("NVFP4_GGML", 40, 64, 36, "four unsigned E4M3 scales, 4 × 16 E2M1 codes, and optional FP32 scales per tensor", "ggml_nvfp4"),
        Block("Q8_1", 9, 32, 36, "FP16 scale and sum, 32 signed bytes; activations inside ggml, never a weight"),
        Block("Q8_K", 15, 256, 292, "FP32 scale, 256 signed bytes, 16 sums; activations inside ggml, never a weight"),
    ];

    private static NumberFormat Block(string name, int id, int length, int bytes, string summary, params string[] aliases) => new()
    {
        Name = name,
        Kind = NumberFormatKind.Block,
        BlockLength = length,
        BlockBytes = bytes,
        Summary = summary,
        Aliases = aliases,
        Engines = Engines.LlamaCpp,
        GgmlType = id,
    };
}
