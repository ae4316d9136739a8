namespace Plimsoll.Checkpoints.Layouts;

/// <summary>In which tensors a checkpoint stores one parameter.</summary>
public enum StorageLayout
{
    /// <summary>One tensor of numbers, or of ggml blocks.</summary>
    Plain,

    /// <summary><c>qweight</c> packed along the inputs, <c>qzeros</c>, <c>scales</c>, <c>g_idx</c>.</summary>
    Gptq,

    /// <summary><c>qweight</c> packed along the outputs, <c>qzeros</c>, <c>scales</c>.</summary>
    Awq,

    /// <summary>bitsandbytes NF4 or FP4: flat nibbles and <c>absmax</c>.</summary>
    BitsAndBytes4,

    /// <summary>bitsandbytes LLM.int8(): <c>weight</c> and <c>SCB</c>.</summary>
    BitsAndBytes8,

    /// <summary>compressed-tensors <c>weight_packed</c> of integers.</summary>
    PackedIntegers,

    /// <summary>FP8 or INT8 <c>weight</c> beside its scales.</summary>
    Scaled,

    /// <summary>FP4 codes, an FP8 scale per 16 and a scale per tensor: compressed-tensors or ModelOpt.</summary>
    Nvfp4,

    /// <summary>FP4 codes and an E8M0 scale per 32: gpt-oss, compressed-tensors or DeepSeek-V4.</summary>
    Mxfp4,

    /// <summary><c>W_q</c>, <c>scale</c>, <c>zero</c>.</summary>
    Hqq,

    /// <summary>A flattened tensor subclass of torchao.</summary>
    TorchAo,

    /// <summary>MLX: <c>weight</c> of 32-bit words, <c>scales</c>, <c>biases</c>.</summary>
    Mlx,

    /// <summary>BitNet: four ternary weights to a byte.</summary>
    Ternary,

    /// <summary>A codebook or trellis (AQLM, EXL2, EXL3), whose shapes do not tell how many weights they stand for.</summary>
    Codebook,

    /// <summary>Packed words without the scales that would tell how.</summary>
    Incomplete,
}
