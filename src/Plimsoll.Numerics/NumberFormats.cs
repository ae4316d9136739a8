using System.Collections.Frozen;

namespace Plimsoll.Numerics;

/// <summary>The table of every number format that the product knows.</summary>
public static class NumberFormats
{
    public static NumberFormat Fp32 { get; } = Float("FP32", 4, 8, 23, "IEEE 754 binary32", ["f32", "float32", "float"], ggml: 0, safetensors: "F32");
    public static NumberFormat Fp16 { get; } = Float("FP16", 2, 5, 10, "IEEE 754 binary16; overflows to infinity beyond 65504", ["f16", "float16", "half"], ggml: 1, safetensors: "F16");
    public static NumberFormat Bf16 { get; } = Float("BF16", 2, 8, 7, "the upper half of FP32: same range, 8 significant bits", ["bfloat16"], ggml: 30, safetensors: "BF16");
    public static NumberFormat Int8 { get; } = Integer("INT8", 1, 1, "one byte per element, scales not counted", ["i8", "8bit"], ggml: 24, safetensors: "I8");
    public static NumberFormat Int4 { get; } = Integer("INT4", 2, 1, "two elements per byte, scales not counted", ["i4", "4bit"]);
    public static NumberFormat Q8_0 { get; } = Block("Q8_0", 32, 34, 8, "32 signed bytes and one FP16 scale");

    public static IReadOnlyList<NumberFormat> All { get; } = [Fp32, Fp16, Bf16, Int8, Int4, Q8_0];

    private static readonly FrozenDictionary<string, NumberFormat> ByName =
        All.SelectMany(format => format.Aliases.Append(format.Name.ToLowerInvariant()).Select(name => (name, format)))
            .ToFrozenDictionary(pair => pair.name, pair => pair.format, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<int, NumberFormat> ByGgmlType =
        All.Where(format => format.GgmlType is not null).ToFrozenDictionary(format => format.GgmlType!.Value);

    private static readonly FrozenDictionary<string, NumberFormat> BySafetensorsType =
        All.Where(format => format.SafetensorsType is not null).ToFrozenDictionary(format => format.SafetensorsType!);

    /// <summary>Finds a format by its name or an alias, ignoring case; null when unknown.</summary>
    public static NumberFormat? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The format of a GGUF tensor type id; null when the id is unknown or was removed from ggml.</summary>
    public static NumberFormat? FromGgmlType(int type) => ByGgmlType.GetValueOrDefault(type);

    /// <summary>The format of a safetensors dtype string such as <c>BF16</c>; null when unknown.</summary>
    public static NumberFormat? FromSafetensorsType(string type) => BySafetensorsType.GetValueOrDefault(type);

    private static NumberFormat Float(string name, int bytes, int exponentBits, int mantissaBits, string summary, string[] aliases, int? ggml = null, string? safetensors = null) => new()
    {
        Name = name,
        Kind = NumberFormatKind.Float,
        BlockLength = 1,
        BlockBytes = bytes,
        ExponentBits = exponentBits,
        MantissaBits = mantissaBits,
        Summary = summary,
        Aliases = aliases,
        GgmlType = ggml,
        SafetensorsType = safetensors,
    };

    private static NumberFormat Integer(string name, int blockLength, int blockBytes, string summary, string[] aliases, int? ggml = null, string? safetensors = null) => new()
    {
        Name = name,
        Kind = NumberFormatKind.Integer,
        BlockLength = blockLength,
        BlockBytes = blockBytes,
        Summary = summary,
        Aliases = aliases,
        GgmlType = ggml,
        SafetensorsType = safetensors,
    };

    private static NumberFormat Block(string name, int blockLength, int blockBytes, int? ggml, string summary, string[]? aliases = null) => new()
    {
        Name = name,
        Kind = NumberFormatKind.Block,
        BlockLength = blockLength,
        BlockBytes = blockBytes,
        Summary = summary,
        Aliases = aliases ?? [],
        GgmlType = ggml,
    };
}
