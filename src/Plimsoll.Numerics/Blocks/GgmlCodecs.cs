using Plimsoll.Numerics.Blocks.KQuants;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Lattice;
using Plimsoll.Numerics.Blocks.Legacy;
using Plimsoll.Numerics.Blocks.LowBit;
using Plimsoll.Numerics.Blocks.Microscaling;
using Plimsoll.Numerics.Blocks.NonLinear;

namespace Plimsoll.Numerics.Blocks;

/// <summary>The codecs of ggml's block types, at a number of lanes.</summary>
internal static class GgmlCodecs
{
    public static IReadOnlyList<BlockCodec> Of<T>() where T : unmanaged, ICodeLanes<T> => [.. Uniform<T>(), .. NonUniform<T>()];

    public static IReadOnlyList<BlockCodec> Uniform<T>() where T : unmanaged, ILanes<T> =>
    [
        new Q8_0<T>(), new Q5_1<T>(), new Q5_0<T>(), new Q4_1<T>(), new Q4_0<T>(),
        new Q6_K<T>(), new Q5_K<T>(), new Q4_K<T>(), new Q3_K<T>(), new Q2_K<T>(),
        new TQ2_0<T>(), new TQ1_0<T>(), new Q2_0<T>(), new Q1_0<T>(),
        new MXFP4<T>(), new NVFP4<T>(),
    ];

    /// <summary>The types whose levels are not evenly spaced. They compare and select much, which costs more with 512 bits than the width saves.</summary>
    public static IReadOnlyList<BlockCodec> NonUniform<T>() where T : unmanaged, ICodeLanes<T> =>
    [
        new IQ4_NL<T>(), new IQ4_XS<T>(),
        new IQ3_S<T>(), new IQ3_XXS<T>(), new IQ2_S<T>(), new IQ2_XS<T>(), new IQ2_XXS<T>(), new IQ1_M<T>(), new IQ1_S<T>(),
    ];
}
