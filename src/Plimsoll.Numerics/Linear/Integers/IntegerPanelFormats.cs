using System.Collections.Frozen;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>The formats whose codes are multiplied as integers.</summary>
internal static class IntegerPanelFormats
{
    private static readonly FrozenDictionary<NumberFormat, IntegerPanels> ByFormat = ((IntegerPanels[])
    [
        new CentredPanels<FourBits>("Q4_0", TileShape.FourBitsBy32, CodePlanes.Nibbles),
        new AffinePanels<FourBits>("Q4_1", TileShape.FourBitsBy32, CodePlanes.Nibbles),
        new CentredPanels<FiveBits>("Q5_0", TileShape.FiveBitsBy32, CodePlanes.NibblesAndBits),
        new AffinePanels<FiveBits>("Q5_1", TileShape.FiveBitsBy32, CodePlanes.NibblesAndBits),
        new BytePanels(),
        new TwoBitPanels("Q2_0", scaleAt: 0),
        new TwoBitPanels("TQ2_0", scaleAt: 64),
        new Q2KPanels(),
        new Q3KPanels(),
        new SixBitScalePanels("Q4_K", TileShape.FourBitsBy32, CodePlanes.Nibbles),
        new SixBitScalePanels("Q5_K", TileShape.FiveBitsBy32, CodePlanes.NibblesAndBits),
        new Q6KPanels(),
        new Iq4NlPanels(),
        new Iq4XsPanels(),
        new Mxfp4Panels(),
        new Nvfp4Panels(),
    ]).ToFrozenDictionary(panels => panels.Format);

    /// <summary>The panels of a format; null when its weights are multiplied as floats.</summary>
    public static IntegerPanels? Find(NumberFormat format) => ByFormat.GetValueOrDefault(format);
}
