using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>How the codes of a format lie in its chunks, and what a kernel has to know of them. Each implementation is compiled into loops of its own.</summary>
/// <remarks>
/// Codes are kept 32 columns (8 quads of 4 columns × 16 rows, 64 bytes each) at a time, in a plane of their low bits and, where the width is no power of two, a
/// plane of the bits above. A plane of b bits is b vectors of 64 bytes. Vector v holds quads v, v + b, v + 2b …, each b bits above the one before: nibbles
/// hold quads 0 … 3 low and 4 … 7 high. One shift and one mask bring a quad out.
/// </remarks>
internal interface ICodeLayout
{
    /// <summary>Bits of the first plane: 1, 2, 4 or 8.</summary>
    static abstract int LowBits { get; }

    /// <summary>Bits of the second plane: 0, 1 or 2.</summary>
    static abstract int HighBits { get; }

    /// <summary>Columns that share a scale: 16 or 32.</summary>
    static abstract int GroupLength { get; }

    /// <summary>
    /// How many products of a pair of codes with a pair of inputs a 16-bit sum holds: 2 · code · 127 · depth must stay below 32768.
    /// Without meaning for signed codes, whose sums have 32 bits.
    /// </summary>
    static abstract int Depth { get; }

    /// <summary>Whether each group subtracts a minimum: value = scale · code − minimum.</summary>
    static abstract bool HasMinimums { get; }

    /// <summary>The code that stands for 0, the same in every group: value = scale · (code − centre); 0 for formats with minimums or signed codes.</summary>
    static abstract float Centre { get; }

    /// <summary>Whether codes are signed bytes; else they are 0 … 63.</summary>
    static abstract bool IsSigned { get; }

    /// <summary>Whether stored codes are places in <see cref="Table"/>.</summary>
    static abstract bool HasTable { get; }

    static abstract Vector128<byte> Table { get; }
}

/// <summary>Codes up to 15 (Q4_1, Q4_K): eight products make 8 · 15 · 2 · 127 = 30480.</summary>
internal readonly struct FourBitsBy32 : ICodeLayout
{
    public static int LowBits => 4;
    public static int HighBits => 0;
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => true;
    public static float Centre => 0;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Codes up to 15 around 8 (Q4_0).</summary>
internal readonly struct FourBitsAround8 : ICodeLayout
{
    public static int LowBits => 4;
    public static int HighBits => 0;
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => false;
    public static float Centre => 8;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Codes up to 31 (Q5_1, Q5_K): four products make 4 · 31 · 2 · 127 = 31496.</summary>
internal readonly struct FiveBitsBy32 : ICodeLayout
{
    public static int LowBits => 4;
    public static int HighBits => 1;
    public static int GroupLength => 32;
    public static int Depth => 4;
    public static bool HasMinimums => true;
    public static float Centre => 0;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Codes up to 31 around 16 (Q5_0).</summary>
internal readonly struct FiveBitsAround16 : ICodeLayout
{
    public static int LowBits => 4;
    public static int HighBits => 1;
    public static int GroupLength => 32;
    public static int Depth => 4;
    public static bool HasMinimums => false;
    public static float Centre => 16;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Codes up to 63 (Q6_K): two products make 2 · 63 · 2 · 127 = 32004.</summary>
internal readonly struct SixBitsBy16 : ICodeLayout
{
    public static int LowBits => 4;
    public static int HighBits => 2;
    public static int GroupLength => 16;
    public static int Depth => 2;
    public static bool HasMinimums => false;
    public static float Centre => 32;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Codes up to 7 under scales of 16 columns (Q3_K).</summary>
internal readonly struct ThreeBitsBy16 : ICodeLayout
{
    public static int LowBits => 2;
    public static int HighBits => 1;
    public static int GroupLength => 16;
    public static int Depth => 4;
    public static bool HasMinimums => false;
    public static float Centre => 4;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Codes up to 3 under scales of 16 columns (Q2_K).</summary>
internal readonly struct TwoBitsBy16 : ICodeLayout
{
    public static int LowBits => 2;
    public static int HighBits => 0;
    public static int GroupLength => 16;
    public static int Depth => 4;
    public static bool HasMinimums => true;
    public static float Centre => 0;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Codes up to 3 (Q2_0, TQ2_0).</summary>
internal readonly struct TwoBitsBy32 : ICodeLayout
{
    public static int LowBits => 2;
    public static int HighBits => 0;
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => false;
    public static float Centre => 1;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Codes 0 and 1 (Q1_0).</summary>
internal readonly struct OneBitBy32 : ICodeLayout
{
    public static int LowBits => 1;
    public static int HighBits => 0;
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => false;
    public static float Centre => 0.5f;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Signed bytes (Q8_0).</summary>
internal readonly struct BytesBy32 : ICodeLayout
{
    public static int LowBits => 8;
    public static int HighBits => 0;
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => false;
    public static float Centre => 0;
    public static bool IsSigned => true;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Signed bytes under scales of 16 columns (the lattice types, unpacked).</summary>
internal readonly struct BytesBy16 : ICodeLayout
{
    public static int LowBits => 8;
    public static int HighBits => 0;
    public static int GroupLength => 16;
    public static int Depth => 4;
    public static bool HasMinimums => false;
    public static float Centre => 0;
    public static bool IsSigned => true;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>The signed bytes of IQ4_NL and IQ4_XS (kvalues_iq4nl of ggml-common.h).</summary>
internal readonly struct Iq4By32 : ICodeLayout
{
    public static int LowBits => 4;
    public static int HighBits => 0;
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => false;
    public static float Centre => 0;
    public static bool IsSigned => true;
    public static bool HasTable => true;
    public static Vector128<byte> Table => Vector128.Create(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113).AsByte();
}

/// <summary>The E2M1 values, doubled so that they are integers, plus 12 so that they are not negative (MXFP4): 4 · 24 · 2 · 127 = 24384.</summary>
internal readonly struct E2M1By32 : ICodeLayout
{
    public const int Offset = 12;

    public static int LowBits => 4;
    public static int HighBits => 0;
    public static int GroupLength => 32;
    public static int Depth => 4;
    public static bool HasMinimums => false;
    public static float Centre => Offset;
    public static bool IsSigned => false;
    public static bool HasTable => true;
    public static Vector128<byte> Table => Vector128.Create((byte)12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0);
}

/// <summary>The same under scales of 16 columns (NVFP4).</summary>
internal readonly struct E2M1By16 : ICodeLayout
{
    public static int LowBits => 4;
    public static int HighBits => 0;
    public static int GroupLength => 16;
    public static int Depth => 4;
    public static bool HasMinimums => false;
    public static float Centre => E2M1By32.Offset;
    public static bool IsSigned => false;
    public static bool HasTable => true;
    public static Vector128<byte> Table => E2M1By32.Table;
}

/// <summary>Codes up to 3 with zero points (GPTQ of two bits).</summary>
internal readonly struct TwoBitsAffine : ICodeLayout
{
    public static int LowBits => 2;
    public static int HighBits => 0;
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => true;
    public static float Centre => 0;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Codes up to 7 with zero points (GPTQ of three bits): eight products make 8 · 7 · 2 · 127 = 14224.</summary>
internal readonly struct ThreeBitsAffine : ICodeLayout
{
    public static int LowBits => 2;
    public static int HighBits => 1;
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => true;
    public static float Centre => 0;
    public static bool IsSigned => false;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}

/// <summary>Signed bytes with zero points.</summary>
internal readonly struct BytesAffine : ICodeLayout
{
    public static int LowBits => 8;
    public static int HighBits => 0;
    public static int GroupLength => 32;
    public static int Depth => 8;
    public static bool HasMinimums => true;
    public static float Centre => 0;
    public static bool IsSigned => true;
    public static bool HasTable => false;
    public static Vector128<byte> Table => default;
}
