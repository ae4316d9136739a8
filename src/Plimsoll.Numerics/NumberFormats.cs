using System.Collections.Frozen;

namespace Plimsoll.Numerics;

/// <summary>The table of every number format that the product knows. What is not in it is unknown, never free.</summary>
public static class NumberFormats
{
    /// <summary>Every format: floats, integers, then blocks; wide before narrow within a family.</summary>
    public static IReadOnlyList<NumberFormat> All { get; } = [.. FloatFormats.All, .. IntegerFormats.All, .. BlockFormats.All, .. GgmlFormats.All];

    private static readonly FrozenDictionary<string, NumberFormat> ByName =
        All.SelectMany(format => format.Aliases.Append(format.Name).Select(name => (name, format)))
            .ToFrozenDictionary(pair => pair.name, pair => pair.format, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<int, NumberFormat> ByGgmlType =
        All.Where(format => format.GgmlType is not null).ToFrozenDictionary(format => format.GgmlType!.Value);

    private static readonly FrozenDictionary<string, NumberFormat> BySafetensorsType =
        All.Where(format => format.SafetensorsType is not null).ToFrozenDictionary(format => format.SafetensorsType!);

    public static NumberFormat Fp64 { get; } = ByName["FP64"];
    public static NumberFormat Fp32 { get; } = ByName["FP32"];
    public static NumberFormat Fp16 { get; } = ByName["FP16"];
    public static NumberFormat Bf16 { get; } = ByName["BF16"];
    public static NumberFormat Fp8E4M3 { get; } = ByName["FP8_E4M3"];
    public static NumberFormat Fp8E5M2 { get; } = ByName["FP8_E5M2"];
    public static NumberFormat E8M0 { get; } = ByName["E8M0"];
    public static NumberFormat Fp4 { get; } = ByName["FP4"];
    public static NumberFormat Int64 { get; } = ByName["INT64"];
    public static NumberFormat Int32 { get; } = ByName["INT32"];
    public static NumberFormat Int8 { get; } = ByName["INT8"];
    public static NumberFormat Int4 { get; } = ByName["INT4"];
    public static NumberFormat UInt8 { get; } = ByName["UINT8"];
    public static NumberFormat Nf4 { get; } = ByName["NF4"];
    public static NumberFormat Nf4DoubleQuantized { get; } = ByName["NF4_DQ"];
    public static NumberFormat BitsAndBytesFp4 { get; } = ByName["FP4_BNB"];
    public static NumberFormat Mxfp4 { get; } = ByName["MXFP4"];
    public static NumberFormat Nvfp4 { get; } = ByName["NVFP4"];
    public static NumberFormat Q8_0 { get; } = ByName["Q8_0"];
    public static NumberFormat Q4_0 { get; } = ByName["Q4_0"];

    /// <summary>Every name that <see cref="Find"/> knows, aliases included, for "did you mean".</summary>
    public static IEnumerable<string> Names => All.SelectMany(format => format.Aliases.Prepend(format.Name));

    /// <summary>Finds a format by its name or an alias, ignoring case and the difference between <c>-</c> and <c>_</c>; null when unknown.</summary>
    public static NumberFormat? Find(string name) => ByName.GetValueOrDefault(name.Trim().Replace('-', '_'));

    /// <summary>The format of a GGUF tensor type id; null when the id is unknown or was removed from ggml.</summary>
    public static NumberFormat? FromGgmlType(int type) => ByGgmlType.GetValueOrDefault(type);

    /// <summary>The format of a safetensors dtype string such as <c>BF16</c>; null when unknown.</summary>
    public static NumberFormat? FromSafetensorsType(string type) => BySafetensorsType.GetValueOrDefault(type);
}
