namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>What a kernel has to know of the codes of a tile. Each implementation is compiled into a loop of its own.</summary>
internal interface ITileShape
{
    /// <summary>Columns that share a scale: 16 or 32.</summary>
    static abstract int GroupLength { get; }

    /// <summary>
    /// How many products of a pair of codes with a pair of inputs a 16-bit sum holds: 2 · code · 127 · depth must stay below 32768.
    /// Without meaning for signed codes, whose sums have 32 bits.
    /// </summary>
    static abstract int Depth { get; }

    /// <summary>Whether each group subtracts a minimum: value = scale · code − minimum.</summary>
    static abstract bool HasMinimums { get; }
}

/// <summary>Codes up to 15 (Q4_0, Q4_1, Q4_K): eight products make 8 · 15 · 2 · 127 = 30480.</summary>
internal readonly struct FourBitsBy32 : ITileShape
{
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => true;
}

/// <summary>Codes up to 31 (Q5_0, Q5_1, Q5_K, MXFP4): four products make 4 · 31 · 2 · 127 = 31496.</summary>
internal readonly struct FiveBitsBy32 : ITileShape
{
    public static int GroupLength => 32;
    public static int Depth => 4;
    public static bool HasMinimums => true;
}

/// <summary>Codes up to 31 under scales of 16 columns (Q2_K, Q3_K, NVFP4).</summary>
internal readonly struct FiveBitsBy16 : ITileShape
{
    public static int GroupLength => 16;
    public static int Depth => 4;
    public static bool HasMinimums => true;
}

/// <summary>Codes up to 63 (Q6_K): two products make 2 · 63 · 2 · 127 = 32004.</summary>
internal readonly struct SixBitsBy16 : ITileShape
{
    public static int GroupLength => 16;
    public static int Depth => 2;
    public static bool HasMinimums => true;
}

/// <summary>Signed bytes (Q8_0, IQ4_NL, IQ4_XS).</summary>
internal readonly struct SignedBy32 : ITileShape
{
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => false;
}

/// <summary>Signed bytes under scales of 16 columns (the lattice types).</summary>
internal readonly struct SignedBy16 : ITileShape
{
    public static int GroupLength => 16;
    public static int Depth => 4;
    public static bool HasMinimums => false;
}

/// <summary>Signed bytes with a zero point.</summary>
internal readonly struct SignedWithMinimumsBy32 : ITileShape
{
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => true;
}

/// <summary>The shapes by name, for formats to state.</summary>
internal enum TileShape
{
    FourBitsBy32,
    FiveBitsBy32,
    FiveBitsBy16,
    SixBitsBy16,
    SignedBy32,
    SignedBy16,
    SignedWithMinimumsBy32,
}

internal static class TileShapes
{
    public static bool IsSigned(this TileShape shape) => shape is TileShape.SignedBy32 or TileShape.SignedBy16 or TileShape.SignedWithMinimumsBy32;

    public static int GroupLength(this TileShape shape) => shape is TileShape.FiveBitsBy16 or TileShape.SixBitsBy16 or TileShape.SignedBy16 ? 16 : 32;

    public static bool HasMinimums(this TileShape shape) => shape is not (TileShape.SignedBy32 or TileShape.SignedBy16);
}
