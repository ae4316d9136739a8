namespace Plimsoll.Numerics.Tests;

public class ByteSizeTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("1234", 1234)]
    [InlineData("1234B", 1234)]
    [InlineData("24GiB", 25769803776)]
    [InlineData("24 GiB", 25769803776)]
    [InlineData("24gib", 25769803776)]
    [InlineData("24Gi", 25769803776)]
    [InlineData("24G", 25769803776)]
    [InlineData("24GB", 24000000000)]
    [InlineData("24 gb", 24000000000)]
    [InlineData("1.5 KiB", 1536)]
    [InlineData("0.1MB", 100000)]
    [InlineData("512M", 536870912)]
    [InlineData("2TB", 2000000000000)]
    [InlineData("2TiB", 2199023255552)]
    [InlineData(" 7k ", 7168)]
    [InlineData("9007199254740993", 9007199254740993)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void A_size_is_read_with_its_unit(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out var size));
        Assert.Equal(bytes, size.Bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GiB")]
    [InlineData("-1")]
    [InlineData("-1GiB")]
    [InlineData("1,5 GiB")]
    [InlineData("1e9")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1.5")]
    [InlineData("1.5B")]
    [InlineData("12 GiBs")]
    [InlineData("12 bits")]
    [InlineData("12 PB")]
    [InlineData("1 2GB")]
    [InlineData("9223372036854775808")]
    [InlineData("8388608TiB")]
    [InlineData("99999999999999999999999999999999TiB")]
    public void What_is_no_size_is_refused(string text)
    {
        Assert.False(ByteSize.TryParse(text, out var size));
        Assert.Equal(ByteSize.Zero, size);
    }

    [Theory]
    [InlineData(0, "0 B", "0 B")]
    [InlineData(1, "1 B", "1 B")]
    [InlineData(999, "999 B", "999 B")]
    [InlineData(1000, "1000 B", "1.00 kB")]
    [InlineData(1024, "1.00 KiB", "1.02 kB")]
    [InlineData(16060522496, "14.96 GiB", "16.06 GB")]
    [InlineData(-1536, "-1.50 KiB", "-1.54 kB")]
    [InlineData(1048575, "1.00 MiB", "1.05 MB")]
    [InlineData(999999, "976.56 KiB", "1.00 MB")]
    [InlineData(long.MaxValue, "8388608.00 TiB", "9223372.04 TB")]
    [InlineData(long.MinValue, "-8388608.00 TiB", "-9223372.04 TB")]
    public void A_size_is_written_in_binary_or_decimal_units_and_never_in_both(long bytes, string binary, string @decimal)
    {
        Assert.Equal(binary, new ByteSize(bytes).ToString());
        Assert.Equal(@decimal, new ByteSize(bytes).ToDecimalString());
    }

    [Theory]
    [InlineData(5)]
    [InlineData(70_000)]
    [InlineData(5_000_000)]
    [InlineData(80_000_000_000)]
    [InlineData(5_000_000_000_000)]
    public void What_is_written_reads_back_within_the_digits_shown(long bytes)
    {
        foreach (var text in new[] { new ByteSize(bytes).ToString(), new ByteSize(bytes).ToDecimalString() })
        {
            Assert.True(ByteSize.TryParse(text, out var again));
            Assert.InRange(again.Bytes, bytes * 0.99, bytes * 1.01);
        }
    }

    [Fact]
    public void Arithmetic_is_checked()
    {
        var most = new ByteSize(long.MaxValue);
        Assert.Throws<OverflowException>(() => most + new ByteSize(1));
        Assert.Throws<OverflowException>(() => -most - new ByteSize(2));
        Assert.Throws<OverflowException>(() => most * 2);
        Assert.Throws<OverflowException>(() => -new ByteSize(long.MinValue));
        Assert.Equal(new ByteSize(6), 2 * new ByteSize(3));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(9223372036854775808.0)]
    [InlineData(-9223372036854777856.0)]
    public void A_number_that_is_no_count_of_bytes_overflows(double bytes) => Assert.Throws<OverflowException>(() => ByteSize.FromDouble(bytes));

    [Fact]
    public void Units_convert_exactly()
    {
        Assert.Equal(25769803776, ByteSize.FromGiB(24).Bytes);
        Assert.Equal(24_000_000_000, ByteSize.FromGB(24).Bytes);
        Assert.Equal(1_572_864, ByteSize.FromMiB(1.5).Bytes);
        Assert.Equal(long.MinValue, ByteSize.FromDouble(-9223372036854775808.0).Bytes);
        Assert.Equal(2, ByteSize.FromDouble(2.5).Bytes);
        Assert.Equal(24.0, ByteSize.FromGiB(24).InGiB);
        Assert.Equal(25.769803776, ByteSize.FromGiB(24).InGB);
    }

    [Fact]
    public void Sizes_compare_by_bytes()
    {
        var (gib, gb) = (ByteSize.FromGiB(1), ByteSize.FromGB(1));
        Assert.True(gib > gb && gb < gib && gib >= gb && gb <= gib);
        Assert.Equal(gib, ByteSize.Max(gib, gb));
        Assert.Equal(gb, ByteSize.Min(gib, gb));
    }
}
