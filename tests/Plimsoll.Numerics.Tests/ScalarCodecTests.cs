using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Tests;

public class ScalarCodecTests
{
    [Fact]
    public void Every_half_code_means_what_System_Half_says()
    {
        for (var code = 0; code <= ushort.MaxValue; code++)
        {
            var expected = (double)BitConverter.UInt16BitsToHalf((ushort)code);
            Assert.Equal(expected, FloatLayout.Fp16.Decode((ulong)code));
            Assert.Equal((float)expected, Fp16.ToSingle((ushort)code));
            if (double.IsNaN(expected))
                continue;
            Assert.Equal((ulong)code, FloatLayout.Fp16.Encode(expected));
            Assert.Equal((ushort)code, Fp16.FromSingle((float)expected));
        }
    }

    [Fact]
    public void Every_midpoint_of_half_rounds_as_System_Half_does()
    {
        for (var code = 0; code < 0x7C00; code++)
        {
            var low = (float)BitConverter.UInt16BitsToHalf((ushort)code);
            var high = code == 0x7BFF ? 65536f : (float)BitConverter.UInt16BitsToHalf((ushort)(code + 1));
            var middle = low + (high - low) / 2;
            foreach (var value in new[] { middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle), -middle })
                Assert.Equal(BitConverter.HalfToUInt16Bits((Half)value), (ushort)FloatLayout.Fp16.Encode(value));
        }
    }

    [Fact]
    public void Every_bfloat16_code_is_the_upper_half_of_a_float()
    {
        for (var code = 0; code <= ushort.MaxValue; code++)
        {
            var expected = BitConverter.UInt32BitsToSingle((uint)code << 16);
            Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(Bf16.ToSingle((ushort)code)));
            Assert.Equal((double)expected, FloatLayout.Bf16.Decode((ulong)code));
            if (float.IsNaN(expected))
                Assert.Equal((ushort)(code | 0x40), Bf16.FromSingle(expected));
            else
                Assert.Equal((ushort)code, Bf16.FromSingle(expected));
        }
    }

    [Fact]
    public void The_fast_bfloat16_equals_the_reference_around_every_midpoint()
    {
        for (var code = 0u; code <= ushort.MaxValue; code++)
        {
            foreach (var low in new[] { 0x7FFFu, 0x8000u, 0x8001u, 0x0001u, 0xFFFFu })
            {
                var value = BitConverter.UInt32BitsToSingle((code << 16) | low);
                if (!float.IsNaN(value))
                    Assert.Equal(FloatLayout.Bf16.Encode(value), Bf16.FromSingle(value));
            }
        }
    }

    /// <summary>A NaN whose payload lies only in the dropped bits would become infinity if the upper half were simply cut off.</summary>
    [Theory]
    [InlineData(0x7F800001u, 0x7FC0)]
    [InlineData(0xFF800001u, 0xFFC0)]
    [InlineData(0x7FFFFFFFu, 0x7FFF)]
    [InlineData(0x7FA00000u, 0x7FE0)]
    public void A_signalling_nan_becomes_quiet_and_stays_nan(uint bits, int code) => Assert.Equal((ushort)code, Bf16.FromSingle(BitConverter.UInt32BitsToSingle(bits)));

    [Fact]
    public void Tf32_rounds_as_the_reference_does()
    {
        var random = new Random(3);
        for (var i = 0; i < 200_000; i++)
        {
            var bits = (uint)random.NextInt64(1L << 32);
            if (i % 4 == 0)
                bits = (bits & ~0x1FFFu) | 0x1000;
            var value = BitConverter.UInt32BitsToSingle(bits);
            if (!float.IsNaN(value))
                Assert.Equal(FloatLayout.Tf32.Decode(FloatLayout.Tf32.Encode(value)), Tf32.Round(value));
        }
        Assert.True(float.IsNaN(Tf32.Round(BitConverter.UInt32BitsToSingle(0x7F800001))));
        Assert.True(float.IsNaN(Tf32.Round(BitConverter.UInt32BitsToSingle(0x7FFFFFFF))));
        Assert.Equal(float.PositiveInfinity, Tf32.Round(float.MaxValue));
    }

    [Fact]
    public void Every_E8M0_code_is_a_power_of_two()
    {
        var expected = Math.Pow(2, -127);
        for (var code = 0; code < 255; code++, expected *= 2)
        {
            Assert.Equal(expected, E8M0.Decode((byte)code));
            foreach (var rounding in Enum.GetValues<E8M0Rounding>())
                Assert.Equal((byte)code, E8M0.Encode(-expected, rounding));
        }
        Assert.True(double.IsNaN(E8M0.Decode(255)));
    }

    /// <summary>The three roundings at every binade: 1.25, 1.5 and 1.75 times a power of two.</summary>
    [Fact]
    public void E8M0_rounds_to_the_nearest_down_or_up()
    {
        for (var code = 0; code < 255; code++)
        {
            var power = Math.Pow(2, code - 127);
            foreach (var (factor, goesUp) in new[] { (1.25, 0), (1.4999999, 0), (1.5, 1), (1.75, 1) })
            {
                Assert.Equal((byte)code, E8M0.Encode(factor * power, E8M0Rounding.Down));
                Assert.Equal((byte)(code + 1), E8M0.Encode(factor * power, E8M0Rounding.Up));
                Assert.Equal((byte)(code + goesUp), E8M0.Encode(factor * power, E8M0Rounding.Nearest));
            }
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1e-300, 0)]
    [InlineData(double.NaN, 255)]
    [InlineData(double.PositiveInfinity, 255)]
    [InlineData(1e300, 255)]
    public void E8M0_has_no_zero_and_no_infinity(double value, int code)
    {
        foreach (var rounding in Enum.GetValues<E8M0Rounding>())
            Assert.Equal((byte)code, E8M0.Encode(value, rounding));
    }

    /// <summary>Mean |error| and mean relative error over N(0,1) of the library's own test table (bitsandbytes tests/test_functional.py, block 64), within its ± 0.00034.</summary>
    [Theory]
    [InlineData("NF4", 0.072798, 0.203339)]
    [InlineData("FP4_BNB", 0.096543, 0.260125)]
    public void Bitsandbytes_codebooks_lose_what_bitsandbytes_measured(string name, double meanError, double meanRelative)
    {
        var codebook = name == "NF4" ? Codebook.Nf4 : Codebook.BitsAndBytesFp4;
        var random = new Random(1);
        var (error, relative) = (0.0, 0.0);
        const int blocks = 4096;
        for (var block = 0; block < blocks; block++)
        {
            var values = Enumerable.Range(0, 64).Select(_ => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())).ToArray();
            var absmax = values.Max(Math.Abs);
            foreach (var value in values)
            {
                var difference = Math.Abs(codebook.Decode(codebook.Encode(value / absmax)) * absmax - value);
                error += difference;
                relative += difference / (Math.Abs(value) + 1e-8);
            }
        }
        Assert.Equal(meanError, error / (blocks * 64), 0.0005);
        Assert.Equal(meanRelative, relative / (blocks * 64), 0.002);
    }

    [Fact]
    public void Every_codebook_value_encodes_to_its_code()
    {
        foreach (var codebook in new[] { Codebook.Nf4, Codebook.BitsAndBytesFp4, Codebook.Iq4Nl })
        {
            Assert.Equal(16, codebook.Values.Length);
            for (var code = 0; code < 16; code++)
                Assert.Equal(codebook.Decode(code), codebook.Decode(codebook.Encode(codebook.Decode(code))));
        }
        Assert.Throws<ArgumentException>(() => Codebook.Nf4.Encode(double.NaN));
    }
}
