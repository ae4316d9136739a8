using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Tests;

public class FloatCastTests
{
    private static readonly FloatLayout[] Layouts =
        [FloatLayout.Fp16, FloatLayout.Bf16, FloatLayout.E4M3, FloatLayout.E5M2, FloatLayout.E4M3Fnuz, FloatLayout.E5M2Fnuz];

    public static TheoryData<int> All => [.. Enumerable.Range(0, Layouts.Length)];

    [Theory, MemberData(nameof(All))]
    public void Every_code_decodes_as_the_scalar_reference_does(int which)
    {
        var layout = Layouts[which];
        // An odd count, so that the tail behind the vectors is walked too.
        var codes = Enumerable.Range(0, 1 << layout.Bits).Append(1).Select(code => (ushort)code).ToArray();
        var values = new float[codes.Length];
        Decode(layout, codes, values);

        for (var at = 0; at < codes.Length; at++)
            Assert.Equal((float)layout.Decode(codes[at]), values[at]);
    }

    [Theory, MemberData(nameof(All))]
    public void Every_code_midpoint_and_neighbour_of_one_encodes_as_the_scalar_reference_does(int which)
    {
        var layout = Layouts[which];
        var values = new List<float>();
        for (var code = 0; code < 1 << layout.Bits; code++)
        {
            var value = (float)layout.Decode((ulong)code);
            var middle = (float)((value + layout.Decode((ulong)Math.Min(code + 1, (1 << layout.Bits) - 1))) / 2);
            values.AddRange([value, middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle)]);
        }
        values.AddRange([float.MaxValue, float.MinValue, float.Epsilon, -float.Epsilon, float.PositiveInfinity, float.NegativeInfinity, float.NaN, -float.NaN, 0f, -0f]);
        AssertEncodes(layout, [.. values]);
    }

    [Theory, MemberData(nameof(All))]
    public void Numbers_of_any_magnitude_encode_as_the_scalar_reference_does(int which)
    {
        var random = new Random(5);
        AssertEncodes(Layouts[which], [.. Enumerable.Range(0, 40_003).Select(_ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)))]);
    }

    [Fact]
    public void A_layout_of_another_width_is_refused() =>
        Assert.Throws<ArgumentException>(() => FloatCast.Decode(FloatLayout.Fp16, new byte[4], new float[4]));

    /// <summary>A NaN of 16 bits keeps what fits of its payload (<see cref="HalfWidthCastTests"/>); that it is NaN is all that the reference says.</summary>
    private static void AssertEncodes(FloatLayout layout, float[] values)
    {
        foreach (var overflow in Enum.GetValues<FloatOverflow>())
        {
            var codes = Encode(layout, values, overflow);
            for (var at = 0; at < values.Length; at++)
            {
                var expected = layout.Encode(values[at], overflow);
                Assert.True(
                    expected == codes[at] || (layout.Bits == 16 && float.IsNaN(values[at]) && double.IsNaN(layout.Decode(codes[at]))),
                    $"{values[at]:R} became {codes[at]:X}, expected {expected:X}");
            }
        }
    }

    private static void Decode(FloatLayout layout, ushort[] codes, float[] values)
    {
        if (layout == FloatLayout.Fp16)
            FloatCast.FromFp16(codes, values);
        else if (layout == FloatLayout.Bf16)
            FloatCast.FromBf16(codes, values);
        else
            FloatCast.Decode(layout, Array.ConvertAll(codes, code => (byte)code), values);
    }

    private static ushort[] Encode(FloatLayout layout, float[] values, FloatOverflow overflow)
    {
        var wide = new ushort[values.Length];
        var narrow = new byte[values.Length];
        if (layout == FloatLayout.Fp16)
            FloatCast.ToFp16(values, wide, overflow);
        else if (layout == FloatLayout.Bf16)
            FloatCast.ToBf16(values, wide, overflow);
        else
        {
            FloatCast.Encode(layout, values, narrow, overflow);
            return Array.ConvertAll(narrow, code => (ushort)code);
        }
        return wide;
    }
}
