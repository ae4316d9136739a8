using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Gguf;

/// <summary>A file type of llama.cpp: the name of a mixture of tensor types.</summary>
/// <param name="Name">The name as <c>llama-quantize</c> spells it, in lower case.</param>
/// <param name="Id">The value of <c>general.file_type</c>.</param>
/// <param name="DefaultType">The tensor type that no rule has changed.</param>
/// <param name="NeedsImatrix">llama.cpp refuses to make it without an importance matrix.</param>
public sealed record GgufFileType(string Name, int Id, NumberFormat DefaultType, bool NeedsImatrix)
{
    /// <summary>All of them. Source: llama.cpp, include/llama.h (llama_ftype) and src/llama-quant.cpp (default types), commit 007dbbf.</summary>
    public static IReadOnlyList<GgufFileType> All { get; } =
    [
        new("f32", 0, Type("F32"), false),
        new("f16", 1, Type("F16"), false),
        new("bf16", 32, Type("BF16"), false),
        new("q8_0", 7, Type("Q8_0"), false),
        new("q6_k", 18, Type("Q6_K"), false),
        new("q5_k_m", 17, Type("Q5_K"), false),
        new("q5_k_s", 16, Type("Q5_K"), false),
        new("q5_1", 9, Type("Q5_1"), false),
        new("q5_0", 8, Type("Q5_0"), false),
        new("q4_k_m", 15, Type("Q4_K"), false),
        new("q4_k_s", 14, Type("Q4_K"), false),
        new("iq4_nl", 25, Type("IQ4_NL"), false),
        new("iq4_xs", 30, Type("IQ4_XS"), false),
        new("q4_1", 3, Type("Q4_1"), false),
        new("q4_0", 2, Type("Q4_0"), false),
        new("mxfp4_moe", 38, Type("MXFP4"), false),
        new("nvfp4", 39, Type("NVFP4"), false),
        new("q3_k_l", 13, Type("Q3_K"), false),
        new("q3_k_m", 12, Type("Q3_K"), false),
        new("q3_k_s", 11, Type("Q3_K"), false),
        new("iq3_m", 27, Type("IQ3_S"), false),
        new("iq3_s", 26, Type("IQ3_S"), false),
        new("iq3_xs", 22, Type("IQ3_S"), true),
        new("iq3_xxs", 23, Type("IQ3_XXS"), true),
        new("q2_k", 10, Type("Q2_K"), false),
        new("q2_k_s", 21, Type("Q2_K"), true),
        new("iq2_m", 29, Type("IQ2_S"), true),
        new("iq2_s", 28, Type("IQ2_XS"), true),
        new("iq2_xs", 20, Type("IQ2_XS"), true),
        new("iq2_xxs", 19, Type("IQ2_XXS"), true),
        new("iq1_m", 31, Type("IQ1_M"), true),
        new("iq1_s", 24, Type("IQ1_S"), true),
        new("tq2_0", 37, Type("TQ2_0"), false),
        new("tq1_0", 36, Type("TQ1_0"), false),
        new("q2_0", 41, Type("Q2_0"), false),
        new("q1_0", 40, Type("Q1_0"), false),
    ];

    /// <summary>Names that people and log lines use for a file type.</summary>
    private static readonly Dictionary<string, string> Aliases = new Dictionary<string, string>
    {
        ["q2_k_m"] = "q2_k",
        ["q3_k"] = "q3_k_m",
        ["q4_k"] = "q4_k_m",
        ["q5_k"] = "q5_k_m",
        ["q8"] = "q8_0",
        ["mxfp4"] = "mxfp4_moe",
        ["fp32"] = "f32",
        ["fp16"] = "f16",
    };

    private static readonly Dictionary<string, GgufFileType> ByName = All.ToDictionary(type => type.Name);

    /// <summary>Finds a file type by its lower-case name; null when llama.cpp has no such type.</summary>
    public static GgufFileType? Find(string name) => ByName.GetValueOrDefault(Aliases.GetValueOrDefault(name, name));

    /// <summary>The file type of a <c>general.file_type</c> value; null for values that llama.cpp does not define.</summary>
    /// <remarks>llama.cpp sets bit 1024 when it guessed the type from the tensors (LLAMA_FTYPE_GUESSED).</remarks>
    public static GgufFileType? FromId(long id) => All.FirstOrDefault(type => type.Id == (id & ~1024L));

    /// <summary>A tensor type by its ggml name. (NVFP4 lies differently in ggml than in safetensors; its type id is 40.)</summary>
    public static NumberFormat Type(string name) =>
        (name == "NVFP4" ? NumberFormats.FromGgmlType(40) : NumberFormats.Find(name)) ?? throw new InvalidOperationException($"The number-format table has no {name}.");
}
