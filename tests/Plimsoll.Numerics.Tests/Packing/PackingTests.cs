using Plimsoll.Numerics.Packing;

namespace Plimsoll.Numerics.Tests.Packing;

public class PackingTests
{
    [Fact]
    public void Four_bit_codes_fill_a_word_from_its_lowest_nibble()
    {
        var words = new uint[1];
        BitStream.Pack([1, 2, 3, 4, 5, 6, 7, 8], 4, words);

        Assert.Equal(0x87654321u, words[0]);
    }

    [Fact]
    public void Three_bit_codes_cross_words_as_GPTQ_packs_them()
    {
        // AutoGPTQ: ten codes and two bits of the eleventh | its third bit, ten codes, one bit of the 22nd | two bits of it and ten codes.
        var codes = Enumerable.Range(0, 32).Select(index => (byte)(index * 5 % 8)).ToArray();
        uint first = 0, second = 0, third = 0;
        for (var at = 0; at < 10; at++)
            (first, second, third) = (first | (uint)codes[at] << 3 * at, second | (uint)codes[11 + at] << 3 * at + 1, third | (uint)codes[22 + at] << 3 * at + 2);
        first |= (uint)codes[10] << 30;
        second |= (uint)codes[10] >> 2 | (uint)codes[21] << 31;
        third |= (uint)codes[21] >> 1;
        var words = new uint[3];
        BitStream.Pack(codes, 3, words);

        Assert.Equal([first, second, third], words);
    }

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5), InlineData(6), InlineData(7), InlineData(8)]
    public void Unpacking_gives_back_any_number_of_codes(int bits)
    {
        var random = new Random(bits);
        foreach (var count in (int[])[0, 1, 7, 8, 31, 64, 500, 1023])
        {
            var codes = Enumerable.Range(0, count).Select(_ => (byte)random.Next(1 << bits)).ToArray();
            var (words, back) = (new uint[BitStream.WordsFor(count, bits)], new byte[count]);
            BitStream.Pack(codes, bits, words);
            BitStream.Unpack(words, bits, back);

            Assert.Equal(codes, back);
        }
    }

    [Fact]
    public void Words_that_do_not_fit_the_codes_are_refused()
    {
        Assert.Throws<ArgumentException>(() => BitStream.Pack(new byte[9], 4, new uint[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => BitStream.Unpack(new uint[1], 9, new byte[3]));
        Assert.Throws<ArgumentException>(() => Nibbles.PackLowFirst(new byte[3], new byte[1]));
    }

    [Fact]
    public void Nibbles_go_low_first_or_high_first()
    {
        // 70 bytes: vectors and a tail.
        var codes = Enumerable.Range(0, 140).Select(index => (byte)(index * 7 % 16)).ToArray();
        var (low, high, back) = (new byte[70], new byte[70], new byte[140]);
        Nibbles.PackLowFirst(codes, low);
        Nibbles.PackHighFirst(codes, high);

        Assert.Equal(Enumerable.Range(0, 70).Select(at => (byte)(codes[2 * at] + 16 * codes[2 * at + 1])), low);
        Assert.Equal(Enumerable.Range(0, 70).Select(at => (byte)(16 * codes[2 * at] + codes[2 * at + 1])), high);
        Nibbles.UnpackLowFirst(low, back);
        Assert.Equal(codes, back);
        Nibbles.UnpackHighFirst(high, back);
        Assert.Equal(codes, back);
    }

    [Fact]
    public void An_AWQ_word_holds_its_columns_in_the_order_0_2_4_6_1_3_5_7()
    {
        Assert.Equal(0x75316420u, AwqWord.Pack([0, 1, 2, 3, 4, 5, 6, 7]));

        var codes = new byte[8];
        AwqWord.Unpack(0x75316420u, codes);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], codes);
    }
}
