using System.Collections.Frozen;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>The formats whose codes are multiplied as integers.</summary>
internal static class IntegerPanelFormats
{
    private static readonly FrozenDictionary<NumberFormat, IntegerPanels> ByFormat = ((IntegerPanels[])
    [
        new CentredPanels<FourBitsAround8, FourBits>("Q4_0"),
        new AffinePanels<FourBitsBy32, FourBits>("Q4_1"),
        new CentredPanels<FiveBitsAround16, FiveBits>("Q5_0"),
        new AffinePanels<FiveBitsBy32, FiveBits>("Q5_1"),
        new Q8Panels(),
        new Q1Panels(),
        new Q2Panels(),
        new Tq2Panels(),
        new Q2KPanels(),
        new Q3KPanels(),
        new SixBitScalePanels<FourBitsBy32>("Q4_K"),
        new SixBitScalePanels<FiveBitsBy32>("Q5_K"),
        new Q6KPanels(),
        new Iq4NlPanels(),
        new Iq4XsPanels(),
        new Mxfp4Panels(),
        new Nvfp4Panels(),
        LatticePanels.Of("IQ3_S"),
        LatticePanels.Of("IQ3_XXS"),
        LatticePanels.Of("IQ2_S"),
        LatticePanels.Of("IQ2_XS"),
        LatticePanels.Of("IQ2_XXS"),
        LatticePanels.Of("IQ1_M"),
        LatticePanels.Of("IQ1_S"),
    ]).ToFrozenDictionary(panels => panels.Format);

    /// <summary>The panels of a format; null when its weights are multiplied as floats.</summary>
    public static IntegerPanels? Find(NumberFormat format) => ByFormat.GetValueOrDefault(format);
}
