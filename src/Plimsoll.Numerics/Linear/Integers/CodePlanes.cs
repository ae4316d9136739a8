namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>Writes codes into the planes that <see cref="ICodeLayout"/> describes.</summary>
internal static unsafe class CodePlanes
{
    /// <summary>Bytes of the planes of 32 columns × 16 rows.</summary>
    public static int GroupBytes<TLayout>() where TLayout : struct, ICodeLayout => (TLayout.LowBits + TLayout.HighBits) * CodeTile.QuadBytes;

    /// <param name="codes">The quads of 32 columns.</param>
    public static void Pack<TLayout>(byte* codes, byte* planes) where TLayout : struct, ICodeLayout
    {
        PackPlane(codes, 0, TLayout.LowBits, planes);
        if (TLayout.HighBits > 0)
            PackPlane(codes, TLayout.LowBits, TLayout.HighBits, planes + TLayout.LowBits * CodeTile.QuadBytes);
    }

    /// <summary>The code of column <paramref name="k"/>, below 32, as the planes hold it.</summary>
    public static int Read<TLayout>(byte* planes, int row, int k) where TLayout : struct, ICodeLayout
    {
        var place = row * 4 + k % 4;
        var code = Field(planes, TLayout.LowBits, k / 4, place);
        if (TLayout.HighBits > 0)
            code |= Field(planes + TLayout.LowBits * CodeTile.QuadBytes, TLayout.HighBits, k / 4, place) << TLayout.LowBits;
        if (TLayout.HasTable)
            code = TLayout.Table[code];
        return TLayout.IsSigned ? (sbyte)code : code;
    }

    private static int Field(byte* plane, int bits, int quad, int place) =>
        plane[quad % bits * CodeTile.QuadBytes + place] >> (quad / bits * bits) & ((1 << bits) - 1);

    private static void PackPlane(byte* codes, int firstBit, int bits, byte* plane)
    {
        for (var i = 0; i < bits * CodeTile.QuadBytes; i++)
        {
            var packed = 0;
            for (var field = 0; field < 8 / bits; field++)
                packed |= (codes[field * bits * CodeTile.QuadBytes + i] >> firstBit & ((1 << bits) - 1)) << (field * bits);
            plane[i] = (byte)packed;
        }
    }
}
