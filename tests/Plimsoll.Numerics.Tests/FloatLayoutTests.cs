using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Tests;

public class FloatLayoutTests
{
    /// <summary>Layout, number of finite non-negative codes and smallest subnormal, from the standards.</summary>
    private static readonly Dictionary<string, (FloatLayout Layout, int FiniteCodes, double Smallest)> Layouts = new()
    {
        ["FP16"] = (FloatLayout.Fp16, 0x7C00, Math.Pow(2, -24)),
        ["BF16"] = (FloatLayout.Bf16, 0x7F80, Math.Pow(2, -133)),
        ["E5M2"] = (FloatLayout.E5M2, 0x7C, Math.Pow(2, -16)),
        ["E4M3"] = (FloatLayout.E4M3, 0x7F, Math.Pow(2, -9)),
        ["E5M2FNUZ"] = (FloatLayout.E5M2Fnuz, 0x80, Math.Pow(2, -17)),
        ["E4M3FNUZ"] = (FloatLayout.E4M3Fnuz, 0x80, Math.Pow(2, -10)),
        ["E3M2"] = (FloatLayout.E3M2, 0x20, 0.0625),
        ["E2M3"] = (FloatLayout.E2M3, 0x20, 0.125),
        ["E2M1"] = (FloatLayout.E2M1, 0x8, 0.5),
        ["TF32"] = (FloatLayout.Tf32, 0x3FC00, Math.Pow(2, -136)),
    };

    public static TheoryData<string> Names => [.. Layouts.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_code_decodes_to_its_place_on_the_grid_and_encodes_back(string name)
    {
        var (layout, finite, smallest) = Layouts[name];
        var grid = new ReferenceGrid(layout, finite, smallest);
        var sign = 1UL << (layout.Bits - 1);
        for (var code = 0UL; code < sign; code++)
        {
            var (positive, negative) = (layout.Decode(code), layout.Decode(code | sign));
            if (code >= (ulong)finite)
            {
                Assert.False(double.IsFinite(positive) || double.IsFinite(negative));
                continue;
            }
            Assert.Equal(grid.Values[code], positive);
            Assert.Equal(code, layout.Encode(positive));
            if (code == 0 && layout.Specials == FloatSpecials.NanAsNegativeZero)
                continue;
            Assert.Equal(BitConverter.DoubleToInt64Bits(-grid.Values[code]), BitConverter.DoubleToInt64Bits(negative));
            Assert.Equal(code | sign, layout.Encode(negative));
        }
        Assert.Equal((ulong)finite - 1, layout.MaxFiniteCode);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_midpoint_and_its_neighbours_round_as_a_search_says(string name)
    {
        var (layout, finite, smallest) = Layouts[name];
        var grid = new ReferenceGrid(layout, finite, smallest);
        for (var code = 0; code < finite; code++)
        {
            // The gap between the last finite number and the first missing one holds the overflow threshold.
            var middle = grid.Values[code] + (grid.Values[code + 1] - grid.Values[code]) / 2;
            foreach (var value in new[] { middle, MathF.BitIncrement((float)middle), MathF.BitDecrement((float)middle), Math.BitIncrement(middle), Math.BitDecrement(middle) })
                AssertRounds(layout, grid, value);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Random_numbers_round_as_a_search_says(string name)
    {
        var (layout, finite, smallest) = Layouts[name];
        var grid = new ReferenceGrid(layout, finite, smallest);
        var random = new Random(42);
        for (var i = 0; i < 20_000; i++)
            AssertRounds(layout, grid, Math.Abs(BitConverter.UInt64BitsToDouble((ulong)random.NextInt64())) is var value && double.IsFinite(value) && i % 2 == 0
                ? value
                : Math.ScaleB(1 + random.NextDouble(), random.Next(layout.MinExponent - layout.MantissaBits - 2, Math.ILogB(layout.MaxValue) + 3)));
    }

    private static void AssertRounds(FloatLayout layout, ReferenceGrid grid, double value)
    {
        var expected = grid.Nearest(value);
        var sign = 1UL << (layout.Bits - 1);
        var code = layout.Encode(value);
        if (expected < grid.FiniteCodes)
        {
            Assert.Equal((ulong)expected, code);
            Assert.Equal(expected == 0 && layout.Specials == FloatSpecials.NanAsNegativeZero ? 0 : code | sign, layout.Encode(-value));
            Assert.Equal(code, layout.Encode(value, FloatOverflow.Saturate));
            return;
        }
        Assert.Equal(Overflowed(layout, negative: false), code);
        Assert.Equal(Overflowed(layout, negative: true), layout.Encode(-value));
        Assert.Equal((ulong)grid.FiniteCodes - 1, layout.Encode(value, FloatOverflow.Saturate));
        Assert.Equal(((ulong)grid.FiniteCodes - 1) | sign, layout.Encode(-value, FloatOverflow.Saturate));
    }

    /// <summary>What a plain cast writes past the end, by the code tables of the standards.</summary>
    private static ulong Overflowed(FloatLayout layout, bool negative) => (layout.ExponentBits, layout.MantissaBits, layout.Specials) switch
    {
        (5, 10, _) => negative ? 0xFC00UL : 0x7C00,
        (8, 7, _) => negative ? 0xFF80UL : 0x7F80,
        (8, 10, _) => negative ? 0x7FC00UL : 0x3FC00,
        (5, 2, FloatSpecials.InfinityAndNan) => negative ? 0xFCUL : 0x7C,
        (4, 3, FloatSpecials.NanOnly) => negative ? 0xFFUL : 0x7F,
        (_, _, FloatSpecials.NanAsNegativeZero) => 0x80,
        (3, 2, _) or (2, 3, _) => negative ? 0x3FUL : 0x1F,
        (2, 1, _) => negative ? 0xFUL : 0x7,
        _ => throw new InvalidOperationException("no expectation"),
    };

    /// <summary>OCP FP8 1.0 table 1, PyTorch float8_e4m3fn and float8_e5m2 casts, OCP MX 1.0 tables.</summary>
    [Theory]
    [InlineData("E4M3", 448, 0x7E)]
    [InlineData("E4M3", 464, 0x7E)]
    [InlineData("E4M3", 464.00003, 0x7F)]
    [InlineData("E4M3", 500, 0x7F)]
    [InlineData("E4M3", double.PositiveInfinity, 0x7F)]
    [InlineData("E4M3", double.NegativeInfinity, 0xFF)]
    [InlineData("E4M3", 0.0009765625, 0x00)]
    [InlineData("E4M3", 0.00097656255, 0x01)]
    [InlineData("E4M3", -0.0, 0x80)]
    [InlineData("E5M2", 61439.99, 0x7B)]
    [InlineData("E5M2", 61440, 0x7C)]
    [InlineData("E5M2", double.PositiveInfinity, 0x7C)]
    [InlineData("E4M3FNUZ", 247.99, 0x7F)]
    [InlineData("E4M3FNUZ", 248, 0x80)]
    [InlineData("E4M3FNUZ", -0.0, 0x00)]
    [InlineData("E4M3FNUZ", -1e-30, 0x00)]
    [InlineData("E5M2FNUZ", double.NegativeInfinity, 0x80)]
    [InlineData("E2M1", 0.25, 0x0)]
    [InlineData("E2M1", 0.75, 0x2)]
    [InlineData("E2M1", 1.25, 0x2)]
    [InlineData("E2M1", 1.75, 0x4)]
    [InlineData("E2M1", 2.5, 0x4)]
    [InlineData("E2M1", 3.5, 0x6)]
    [InlineData("E2M1", 5, 0x6)]
    [InlineData("E2M1", 5.1, 0x7)]
    [InlineData("E2M1", 1000, 0x7)]
    [InlineData("E2M1", double.NegativeInfinity, 0xF)]
    [InlineData("FP16", 65519.99, 0x7BFF)]
    [InlineData("FP16", 65520, 0x7C00)]
    [InlineData("FP16", 70000, 0x7C00)]
    [InlineData("BF16", 70000, 0x4789)]
    public void Known_values_have_known_codes(string name, double value, int code) => Assert.Equal((ulong)code, Layouts[name].Layout.Encode(value));

    [Theory]
    [InlineData("FP16", 0x7E00)]
    [InlineData("BF16", 0x7FC0)]
    [InlineData("TF32", 0x3FE00)]
    [InlineData("E5M2", 0x7E)]
    [InlineData("E4M3", 0x7F)]
    [InlineData("E4M3FNUZ", 0x80)]
    [InlineData("E5M2FNUZ", 0x80)]
    public void Nan_stays_nan_also_when_saturating(string name, ulong code)
    {
        var layout = Layouts[name].Layout;
        var sign = 1UL << (layout.Bits - 1);
        var positive = BitConverter.Int64BitsToDouble(0x7FF8_0000_0000_0000);
        Assert.Equal(code, layout.Encode(positive));
        Assert.Equal(code, layout.Encode(positive, FloatOverflow.Saturate));
        Assert.Equal(code | sign, layout.Encode(-positive));
        Assert.True(double.IsNaN(layout.Decode(code)));
    }

    [Theory]
    [InlineData("E2M1")]
    [InlineData("E2M3")]
    [InlineData("E3M2")]
    public void A_format_without_nan_refuses_it(string name) => Assert.Throws<ArgumentException>(() => Layouts[name].Layout.Encode(double.NaN));

    [Fact]
    public void A_code_with_too_many_bits_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FloatLayout.E2M1.Decode(16));
        Assert.Throws<ArgumentOutOfRangeException>(() => FloatLayout.E4M3.Decode(256));
    }

    [Fact]
    public void The_layouts_of_the_machine_agree_with_the_machine()
    {
        var random = new Random(7);
        for (var i = 0; i < 200_000; i++)
        {
            var bits = (ulong)random.NextInt64() ^ ((ulong)random.Next(2) << 63);
            var value = BitConverter.UInt64BitsToDouble(bits);
            if (double.IsNaN(value))
                continue;
            Assert.Equal(bits, FloatLayout.Fp64.Encode(value));
            Assert.Equal(value, FloatLayout.Fp64.Decode(bits));
            var near = Math.ScaleB(1 + random.NextDouble(), random.Next(-152, 130));
            Assert.Equal(BitConverter.SingleToUInt32Bits((float)near), (uint)FloatLayout.Fp32.Encode(near));
            var single = BitConverter.UInt32BitsToSingle((uint)bits);
            if (!float.IsNaN(single))
                Assert.Equal(single, FloatLayout.Fp32.Decode((uint)bits));
        }
    }

    [Fact]
    public void Neighbours_enclose_the_value()
    {
        var layout = FloatLayout.E4M3;
        for (var i = 0; i <= 4480; i++)
        {
            var (below, above) = layout.Neighbours(-i / 10.0);
            Assert.True(layout.Decode(below) <= i / 10.0);
            Assert.True(layout.Decode(above!.Value) >= i / 10.0);
            Assert.Contains(layout.Encode(i / 10.0), new[] { below, above.Value });
            Assert.InRange(above.Value - below, 0UL, 1UL);
        }
        Assert.Equal((0x7EUL, null), layout.Neighbours(449));
        Assert.Equal((0x7EUL, null), layout.Neighbours(double.NegativeInfinity));
    }
}
