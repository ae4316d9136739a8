namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>One float: the scalar reference of every kernel.</summary>
internal readonly unsafe struct Lanes1(float value) : ICodeLanes<Lanes1>
{
    private readonly float value = value;

    public static int Count => 1;

    private int Word => BitConverter.SingleToInt32Bits(value);

    public static Lanes1 Create(float value) => new(value);

    public static Lanes1 FromBytes(ref readonly byte source) => new(source);

    public static Lanes1 FromSBytes(ref readonly sbyte source) => new(source);

    public static void StoreBytes(Lanes1 value, ref byte target) => target = unchecked((byte)(int)value.value);

    public static void StoreNibbles(Lanes1 low, Lanes1 high, ref byte target) => target = (byte)((int)low.value | (int)high.value << 4);

    public static Lanes1 Min(Lanes1 a, Lanes1 b) => a.value < b.value ? a : b;

    public static Lanes1 Max(Lanes1 a, Lanes1 b) => a.value > b.value ? a : b;

    public static Lanes1 Abs(Lanes1 value) => new(MathF.Abs(value.value));

    public static Lanes1 Sqrt(Lanes1 value) => new(MathF.Sqrt(value.value));

    public static Lanes1 GreaterThan(Lanes1 a, Lanes1 b) => Mask(a.value > b.value);

    public static Lanes1 Equal(Lanes1 a, Lanes1 b) => Mask(a.value == b.value);

    public static Lanes1 NotEqual(Lanes1 a, Lanes1 b) => Mask(a.value != b.value);

    public static Lanes1 Select(Lanes1 mask, Lanes1 yes, Lanes1 no) => mask.Word != 0 ? yes : no;

    public static uint Bits(Lanes1 mask) => (uint)mask.Word >> 31;

    public static float Largest(Lanes1 value) => value.value;

    public static Lanes1 NearestInt(Lanes1 value) => new(Rounding.NearestInt(value.value));

    public static Lanes1 LoadCodes(ref readonly ushort source) => FromWord(source);

    public static void StoreCodes(Lanes1 value, ref ushort target) => target = unchecked((ushort)(int)value.value);

    public static Lanes1 ShiftRight(Lanes1 codes, int bits) => FromWord(codes.Word >> bits);

    public static Lanes1 Look4(float* table, Lanes1 codes) => new(table[codes.Word & 3]);

    public static Lanes1 Look8(float* table, Lanes1 codes) => new(table[codes.Word & 7]);

    public static Lanes1 operator +(Lanes1 a, Lanes1 b) => new(a.value + b.value);

    public static Lanes1 operator -(Lanes1 a, Lanes1 b) => new(a.value - b.value);

    public static Lanes1 operator *(Lanes1 a, Lanes1 b) => new(a.value * b.value);

    public static Lanes1 operator /(Lanes1 a, Lanes1 b) => new(a.value / b.value);

    public static Lanes1 operator &(Lanes1 a, Lanes1 b) => FromWord(a.Word & b.Word);

    public static Lanes1 operator |(Lanes1 a, Lanes1 b) => FromWord(a.Word | b.Word);

    public static Lanes1 operator ^(Lanes1 a, Lanes1 b) => FromWord(a.Word ^ b.Word);

    public static Lanes1 operator ~(Lanes1 a) => FromWord(~a.Word);

    private static Lanes1 FromWord(int word) => new(BitConverter.Int32BitsToSingle(word));

    private static Lanes1 Mask(bool set) => FromWord(set ? -1 : 0);
}
