using Plimsoll.Numerics.Codecs;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Numerics.Tests;

/// <summary>Casts of spans against the scalar codecs and against ggml, over every 16-bit code and the floats around their borders.</summary>
public class HalfWidthCastTests
{
    private static readonly ushort[] AllCodes = [.. Enumerable.Range(0, 65536).Select(code => (ushort)code)];

    /// <summary>Every value of a 16-bit format, the middle to the next one, and the floats on both sides of either.</summary>
    private static float[] Around(Func<ushort, float> decode) =>
    [
        .. AllCodes.SelectMany(code =>
        {
            var bits = BitConverter.SingleToUInt32Bits(decode(code));
            var middle = BitConverter.SingleToUInt32Bits((decode(code) + decode((ushort)(code + 1))) / 2);
            return (float[])[.. new[] { bits - 1, bits, bits + 1, middle - 1, middle, middle + 1 }.Select(BitConverter.UInt32BitsToSingle)];
        }),
    ];

    [Fact]
    public void Fp16_codes_are_those_of_the_scalar_codec()
    {
        var values = Around(Fp16.ToSingle);
        var codes = new ushort[values.Length];
        FloatCast.ToFp16(values, codes);
        AssertSame(values.Select(Fp16.FromSingle), codes);
    }

    [Fact]
    public void Bf16_codes_are_those_of_the_scalar_codec()
    {
        var values = Around(Bf16.ToSingle);
        var codes = new ushort[values.Length];
        FloatCast.ToBf16(values, codes);
        AssertSame(values.Select(Bf16.FromSingle), codes);
    }

    [Fact]
    public void Fp16_values_are_those_of_the_scalar_codec()
    {
        var values = new float[AllCodes.Length];
        FloatCast.FromFp16(AllCodes, values);
        AssertSame(AllCodes.Select(code => BitConverter.SingleToUInt32Bits(Fp16.ToSingle(code))), [.. values.Select(BitConverter.SingleToUInt32Bits)]);
    }

    [Fact]
    public void Bf16_values_are_those_of_the_scalar_codec()
    {
        var values = new float[AllCodes.Length];
        FloatCast.FromBf16(AllCodes, values);
        AssertSame(AllCodes.Select(code => BitConverter.SingleToUInt32Bits(Bf16.ToSingle(code))), [.. values.Select(BitConverter.SingleToUInt32Bits)]);
    }

    [Fact]
    public void Codes_are_those_of_ggml()
    {
        var ggml = Ggml.Require();
        float[] values = [.. Around(Fp16.ToSingle).Concat(Around(Bf16.ToSingle)).Where(value => !float.IsNaN(value))];
        var (codes, expected) = (new ushort[values.Length], new ushort[values.Length]);

        FloatCast.ToFp16(values, codes);
        ggml.ToFp16(values, expected);
        AssertSame(expected, codes);

        FloatCast.ToBf16(values, codes);
        ggml.ToBf16(values, expected);
        AssertSame(expected, codes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(47)]
    public void A_tail_of_any_length_is_cast(int length)
    {
        float[] values = [.. Enumerable.Range(0, length).Select(i => i * 0.37f - 3)];
        var codes = new ushort[length];
        FloatCast.ToFp16(values, codes);
        Assert.Equal(values.Select(Fp16.FromSingle), codes);
        FloatCast.ToBf16(values, codes);
        Assert.Equal(values.Select(Bf16.FromSingle), codes);
    }

    [Fact]
    public void Spans_of_different_lengths_are_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => FloatCast.FromBf16(new ushort[3], new float[4]));
        Assert.StartsWith("3 codes for 4 values", error.Message);
    }

    private static void AssertSame<T>(IEnumerable<T> expected, T[] actual) where T : IEquatable<T>
    {
        T[] all = [.. expected];
        var first = all.AsSpan().CommonPrefixLength(actual);
        Assert.True(first == all.Length && first == actual.Length, $"element {first} differs");
    }
}
