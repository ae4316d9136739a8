using System.Collections.Immutable;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Quantization.Allocation;

/// <summary>The types that tensors are given when a size is asked for.</summary>
internal static class TypeCandidates
{
    private static readonly NumberFormat Plain = GgufFileType.Type("F16");

    private static readonly ImmutableArray<NumberFormat> Types =
    [
        .. new[] { "IQ2_XXS", "IQ2_XS", "IQ2_S", "Q2_K", "IQ3_XXS", "IQ3_S", "Q3_K", "IQ4_XS", "IQ4_NL", "Q4_0", "Q4_K", "Q5_0", "Q5_K", "Q6_K", "Q8_0", "F16" }.Select(GgufFileType.Type),
    ];

    /// <summary>Those whose blocks divide the rows.</summary>
    /// <param name="hasImportance">Whether the columns of the tensor have importances, which the smallest types need.</param>
    /// <param name="withFeedback">Only types whose codes can be chosen one by one, so that no tensor is rounded worse than the others.</param>
    public static IEnumerable<NumberFormat> For(long rowLength, bool hasImportance, bool withFeedback) => Types.Where(type =>
        rowLength % type.BlockLength == 0 && (type == Plain || (Suits(BlockCodecs.Find(type)!, hasImportance) && (!withFeedback || BlockCodecs.Find(type) is IBlockGrid))));

    /// <summary>Whether a mixture of llama.cpp is of such types.</summary>
    public static bool Has(NumberFormat type) => Types.Contains(type);

    private static bool Suits(BlockCodec codec, bool hasImportance) => hasImportance || codec.Importance != ImportanceUse.Required;
}
