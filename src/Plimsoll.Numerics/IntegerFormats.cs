namespace Plimsoll.Numerics;

/// <summary>The integer element types: quantized codes without their scales, and the index types of checkpoints.</summary>
internal static class IntegerFormats
{
    private const string ScalesExtra = "scales and zero points not counted";

    public static readonly NumberFormat[] All =
    [
        Integer("INT64", 64, true, "indices and positions", ["i64", "long"], ggml: 27, safetensors: "I64"),
        Integer("INT32", 32, true, "indices; the words that GPTQ and AWQ pack codes into", ["i32", "int"], ggml: 26, safetensors: "I32"),
        Integer("INT16", 16, true, "two's complement", ["i16", "short"], ggml: 25, safetensors: "I16"),
        Integer("INT8", 8, true, $"one byte per element (LLM.int8, W8A8); {ScalesExtra}", ["i8", "s8", "8bit", "8_bit"], ggml: 24, safetensors: "I8", engines: Engines.Torch),
        Integer("INT4", 4, true, $"two elements per byte (GPTQ, AWQ, compressed-tensors); {ScalesExtra}", ["i4", "s4", "4bit", "4_bit"], engines: Engines.Torch),
        Integer("INT3", 3, true, $"eight elements in three bytes (GPTQ); {ScalesExtra}", ["i3", "s3", "3bit", "3_bit"], engines: Engines.Torch),
        Integer("INT2", 2, true, $"four elements per byte (GPTQ); {ScalesExtra}", ["i2", "s2", "2bit", "2_bit"], engines: Engines.Torch),
        Integer("UINT64", 64, false, "indices and sizes", ["u64", "ulong"], safetensors: "U64"),
        Integer("UINT32", 32, false, "unsigned indices", ["u32", "uint"], safetensors: "U32"),
        Integer("UINT16", 16, false, "unsigned", ["u16", "ushort"], safetensors: "U16"),
        Integer("UINT8", 8, false, "a byte; the container that bitsandbytes, MXFP4 and NVFP4 pack codes into", ["u8", "byte"], safetensors: "U8"),
        Integer("UINT4", 4, false, $"two elements per byte, the codes of asymmetric GPTQ and AWQ; {ScalesExtra}", ["u4"], engines: Engines.Torch),
        new()
        {
            Name = "BOOL",
            Kind = NumberFormatKind.Integer,
            BlockLength = 1,
            BlockBytes = 1,
            IsSigned = false,
            MaxValue = 1,
            Summary = "false or true in a byte: attention masks",
            Aliases = ["boolean"],
            SafetensorsType = "BOOL",
        },
    ];

    private static NumberFormat Integer(
        string name, int bits, bool signed, string summary, string[] aliases, int? ggml = null, string? safetensors = null, string[]? engines = null)
    {
        var (length, bytes) = bits switch { 2 => (4, 1), 3 => (8, 3), 4 => (2, 1), _ => (1, bits / 8) };
        return new()
        {
            Name = name,
            Kind = NumberFormatKind.Integer,
            BlockLength = length,
            BlockBytes = bytes,
            IntegerBits = bits,
            IsSigned = signed,
            MaxValue = bits == 64 ? null : signed ? 1L << (bits - 1) : (1L << bits) - 1,
            Summary = summary,
            Aliases = aliases,
            Engines = engines ?? [],
            GgmlType = ggml,
            SafetensorsType = safetensors,
        };
    }
}
