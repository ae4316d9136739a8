using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>The bits of a code, as planes of a chunk hold them.</summary>
internal enum CodePlanes
{
    /// <summary>Two bits.</summary>
    Pairs,

    /// <summary>Two bits, then a third.</summary>
    PairsAndBits,

    /// <summary>Four bits.</summary>
    Nibbles,

    /// <summary>Four bits, then a fifth.</summary>
    NibblesAndBits,

    /// <summary>Four bits, then two more.</summary>
    NibblesAndPairs,

    /// <summary>A byte: the tile as it is.</summary>
    Bytes,
}

/// <summary>Codes of 16 rows between the quads of a tile and planes of whole bits, 32 columns (8 quads, 512 codes) at a time.</summary>
/// <remarks>
/// A plane of b bits is b vectors of 64 bytes. Vector v holds quads v, v + b, v + 2b …, each b bits above the one before: nibbles hold quads 0 … 3 low and
/// 4 … 7 high. One shift and one mask bring a quad out.
/// </remarks>
internal static unsafe class CodePlanesOperations
{
    private const int Quad = CodeTile.QuadBytes;

    /// <summary>Bits of one code.</summary>
    public static int Bits(this CodePlanes planes) => planes switch
    {
        CodePlanes.Pairs => 2,
        CodePlanes.PairsAndBits => 3,
        CodePlanes.Nibbles => 4,
        CodePlanes.NibblesAndBits => 5,
        CodePlanes.NibblesAndPairs => 6,
        _ => 8,
    };

    /// <param name="codes">The quads of 32 columns.</param>
    /// <param name="target">Receives 64 bytes for each bit.</param>
    public static void Pack(this CodePlanes planes, byte* codes, byte* target)
    {
        var low = planes switch
        {
            CodePlanes.Bytes => 8,
            CodePlanes.Pairs or CodePlanes.PairsAndBits => 2,
            _ => 4,
        };
        PackPlane(codes, 0, low, target);
        if (planes.Bits() > low)
            PackPlane(codes, low, planes.Bits() - low, target + low * Quad);
    }

    /// <summary>Unpacks <paramref name="groups"/> × 32 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack(this CodePlanes planes, byte* source, int groups, byte* codes)
    {
        for (var group = 0; group < groups; group++, source += planes.Bits() * Quad, codes += 8 * Quad)
        {
            switch (planes)
            {
                case CodePlanes.Pairs:
                    UnpackPlane(source, 2, codes);
                    break;
                case CodePlanes.PairsAndBits:
                    UnpackPlanes(source, 2, 1, codes);
                    break;
                case CodePlanes.Nibbles:
                    UnpackPlane(source, 4, codes);
                    break;
                case CodePlanes.NibblesAndBits:
                    UnpackPlanes(source, 4, 1, codes);
                    break;
                case CodePlanes.NibblesAndPairs:
                    UnpackPlanes(source, 4, 2, codes);
                    break;
                default:
                    UnpackPlane(source, 8, codes);
                    break;
            }
        }
    }

    /// <summary>Unpacks nibbles and replaces each code by the signed byte that it stands for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void UnpackNibbles(byte* source, int groups, Vector128<sbyte> table, byte* codes)
    {
        CodePlanes.Nibbles.Unpack(source, groups, codes);
        var end = codes + groups * 8 * Quad;
        if (Avx512BW.IsSupported)
        {
            var lookup = Vector512.Create(Vector256.Create(table, table), Vector256.Create(table, table));
            for (; codes < end; codes += 64)
                Avx512BW.Shuffle(lookup, Vector512.Load((sbyte*)codes)).Store((sbyte*)codes);
        }
        else if (Avx2.IsSupported)
        {
            var lookup = Vector256.Create(table, table);
            for (; codes < end; codes += 32)
                Avx2.Shuffle(lookup, Vector256.Load((sbyte*)codes)).Store((sbyte*)codes);
        }
        else
        {
            for (; codes < end; codes += 16)
                Vector128.Shuffle(table, Vector128.Load((sbyte*)codes)).Store((sbyte*)codes);
        }
    }

    private static void PackPlane(byte* codes, int firstBit, int bits, byte* target)
    {
        for (var i = 0; i < bits * Quad; i++)
        {
            var packed = 0;
            for (var field = 0; field < 8 / bits; field++)
                packed |= (codes[field * bits * Quad + i] >> firstBit & ((1 << bits) - 1)) << (field * bits);
            target[i] = (byte)packed;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UnpackPlane(byte* source, int bits, byte* codes)
    {
        for (var i = 0; i < bits * Quad; i += Vector<byte>.Count)
        {
            var packed = Vector.Load((ushort*)(source + i));
            for (var field = 0; field < 8 / bits; field++)
                Field(packed, field * bits, bits).Store(codes + field * bits * Quad + i);
        }
    }

    /// <summary>A plane, and one with as many bits or fewer above it, of whose fields each quad takes its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void UnpackPlanes(byte* source, int lowBits, int highBits, byte* codes)
    {
        for (var quad = 0; quad < 8; quad++)
        {
            var low = source + quad % lowBits * Quad;
            var high = source + (lowBits + quad % highBits) * Quad;
            for (var i = 0; i < Quad; i += Vector<byte>.Count)
            {
                var lowField = Field(Vector.Load((ushort*)(low + i)), quad / lowBits * lowBits, lowBits);
                var highField = Field(Vector.Load((ushort*)(high + i)), quad / highBits * highBits, highBits);
                (lowField | Vector.ShiftLeft(highField.As<byte, ushort>(), lowBits).As<ushort, byte>()).Store(codes + quad * Quad + i);
            }
        }
    }

    /// <summary>Bits that come over from the neighbouring byte fall to the mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<byte> Field(Vector<ushort> packed, int shift, int bits) =>
        Vector.ShiftRightLogical(packed, shift).As<ushort, byte>() & new Vector<byte>((byte)((1 << bits) - 1));
}
