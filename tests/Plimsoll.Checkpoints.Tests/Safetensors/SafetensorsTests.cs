using Plimsoll.Checkpoints.Safetensors;
using Plimsoll.Checkpoints.Tests.Builders;
using Plimsoll.Testing.Builders;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Tests.Safetensors;

public class SafetensorsTests
{
    [Fact]
    public void A_header_gives_every_tensor_its_format_shape_and_place()
    {
        var header = Parse(SafetensorsBuilder.ValidFile());

        Assert.Equal(["a", "b"], header.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([1, 2], header.Tensors[0].Dimensions);
        Assert.Equal(NumberFormats.Fp32, header.Tensors[0].Format);
        Assert.Equal(header.DataOffset, header.Tensors[0].Offset);
        Assert.Equal(header.DataOffset + 8, header.Tensors[1].Offset);
        Assert.Equal(1, header.Tensors[1].Elements);
        Assert.Equal("pt", header.Metadata["format"]);
        Assert.Equal(10, header.DataLength);
    }

    [Fact]
    public void The_order_in_the_header_need_not_be_the_order_of_the_data() =>
        Assert.Equal(6, Parse(SafetensorsBuilder.File(
            """{"b":{"dtype":"I8","shape":[2],"data_offsets":[4,6]},"a":{"shape":[1],"data_offsets":[0,4],"dtype":"F32"}}""", 6)).DataLength);

    [Fact]
    public void Padding_zero_size_and_unknown_fields_are_allowed()
    {
        var header = Parse(SafetensorsBuilder.File("""{"__metadata__":null,"e":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0],"extra":[{}]}}      """, 0));

        Assert.Equal(0, Assert.Single(header.Tensors).Bytes);
    }

    [Theory]
    [InlineData("F4", "[3]", 2, "a multiple of 2 elements in tensor 't', so that FP4")]
    [InlineData("F6_E2M3", "[2]", 2, "a multiple of 4 elements in tensor 't'")]
    [InlineData("F32", "[2]", 7, "8 bytes of data for tensor 't', FP32 [2], found offsets 0 to 7")]
    [InlineData("F32", "[4611686018427387904]", 8, "a size of tensor 't' that fits 64 bits")]
    [InlineData("F32", "[4294967296,4294967296]", 8, "a size of tensor 't' that fits 64 bits")]
    [InlineData("F32", "[-1]", 4, "integers from 0 to 2^63-1 in shape of tensor 't', found -1")]
    [InlineData("F32", "[1.5]", 4, "integers from 0 to 2^63-1 in shape of tensor 't', found 1.5")]
    [InlineData("F32", "7", 28, "an array as shape of tensor 't', found 7")]
    [InlineData("Q4_K", "[256]", 144, "a safetensors dtype for tensor 't', found 'Q4_K'")]
    public void Type_and_shape_decide_the_size(string type, string shape, int bytes, string expected) =>
        Refuses(Json(type, shape, bytes), bytes, expected);

    [Theory]
    [InlineData("F4", "[3,2]", 3)]
    [InlineData("F6_E3M2", "[4]", 3)]
    [InlineData("F8_E8M0", "[5]", 5)]
    [InlineData("C64", "[2]", 16)]
    [InlineData("BOOL", "[]", 1)]
    public void Types_below_and_above_a_byte_are_known(string type, string shape, int bytes) =>
        Assert.Equal(bytes, Parse(SafetensorsBuilder.File(Json(type, shape, bytes), bytes)).DataLength);

    [Fact]
    public void Overlapping_tensors_are_refused() =>
        Refuses("""{"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[4],"data_offsets":[2,6]}}""", 6,
            "tensor 'b' to start at data offset 4, where the one before it ends, found 2");

    [Fact]
    public void A_hole_between_tensors_is_refused() =>
        Refuses("""{"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[1],"data_offsets":[5,6]}}""", 6, "to start at data offset 4");

    [Fact]
    public void Data_after_the_last_tensor_is_refused() => Refuses(SafetensorsBuilder.Valid, 11, "10 bytes of tensor data after the header, found 11 (something was appended)");

    [Fact]
    public void A_file_that_was_cut_off_is_refused() => Refuses(SafetensorsBuilder.Valid, 9, "10 bytes of tensor data after the header, found 9 (the file is cut off)");

    [Fact]
    public void A_name_that_comes_twice_is_refused() =>
        Refuses("""{"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}}""", 0,
            "at byte 61: expected every tensor name once, found 'a' a second time");

    [Theory]
    [InlineData("""{"a":{"dtype":"I8","shape":[0]}}""", "dtype, shape and data_offsets of tensor 'a', found no data_offsets")]
    [InlineData("""{"a":{"dtype":"I8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}""", "one dtype for tensor 'a', found two")]
    [InlineData("""{"a":{"dtype":"I8","shape":[0],"data_offsets":[0]}}""", "two ascending data_offsets of tensor 'a', found [0]")]
    [InlineData("""{"a":{"dtype":"I8","shape":[0],"data_offsets":[4,0]}}""", "two ascending data_offsets of tensor 'a', found [4, 0]")]
    [InlineData("""{"a":7}""", "an object that describes tensor 'a', found 7")]
    [InlineData("""{"__metadata__":{"a":1}}""", "a string as __metadata__ value of 'a', found 1")]
    [InlineData("""[]""", "a header that starts with '{', found the byte 0x5B")]
    [InlineData("""{"a":""", "a header of valid JSON")]
    [InlineData("""{} {}""", "a header of valid JSON")]
    [InlineData("", "a header that starts with '{', found an empty header")]
    public void A_header_of_another_form_is_refused(string json, string expected) => Refuses(json, 0, expected);

    [Fact]
    public void Deep_nesting_is_refused() =>
        Refuses("""{"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0],"x":""" + new string('[', 100_000) + new string(']', 100_000) + "}}", 0, "a header of valid JSON");

    [Fact]
    public void Names_that_are_not_UTF8_are_refused()
    {
        var file = SafetensorsBuilder.File("""{"~":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}}""", 0);
        file[Array.IndexOf(file, (byte)'~')] = 0xFF;

        Assert.Throws<CheckpointFormatException>(() => Parse(file));
    }

    [Theory]
    [InlineData(100_000_001, "a header of at most 100,000,000 bytes, found a length of 100,000,001")]
    [InlineData(1L << 60, "a header of at most 100,000,000 bytes")]
    [InlineData(-1, "a header of at most 100,000,000 bytes, found a length of 18,446,744,073,709,551,615")]
    [InlineData(1000, "a header that ends within the file, found a length of 1,000 in a file of 10 bytes")]
    public void A_header_length_is_not_believed(long length, string expected)
    {
        var failure = Assert.Throws<CheckpointFormatException>(() => Parse(SafetensorsBuilder.File("{}", 0, length)));

        Assert.Contains(expected, failure.Message);
        Assert.Equal(0, failure.Offset);
    }

    [Fact]
    public void A_prefix_says_how_many_bytes_it_needs_until_it_is_long_enough()
    {
        var file = SafetensorsBuilder.ValidFile();
        var header = 8 + SafetensorsBuilder.Valid.Length;

        Assert.False(SafetensorsHeader.TryParse("x", file.AsSpan(0, 5), null, out _, out var needed));
        Assert.Equal(8, needed);
        Assert.False(SafetensorsHeader.TryParse("x", file.AsSpan(0, 8), file.Length, out _, out needed));
        Assert.Equal(header, needed);
        Assert.True(SafetensorsHeader.TryParse("x", file.AsSpan(0, header), file.Length, out var parsed, out _));
        Assert.Equal(2, parsed.Tensors.Length);
        Assert.Throws<CheckpointFormatException>(() => SafetensorsHeader.TryParse("x", file.AsSpan(0, header), file.Length + 1, out _, out _));
        Assert.True(SafetensorsHeader.TryParse("x", file.AsSpan(0, header), null, out _, out _));
    }

    [Fact]
    public void Any_cut_or_changed_byte_gives_a_result_or_the_format_exception()
    {
        var file = SafetensorsBuilder.ValidFile();

        var refused = Mutations.Check(file, file.Length - 10, source => SafetensorsReader.ReadHeader(source));

        Assert.InRange(refused, file.Length, file.Length * 12);
    }

    private static string Json(string type, string shape, int bytes) =>
        $$$"""{"t":{"dtype":"{{{type}}}","shape":{{{shape}}},"data_offsets":[0,{{{bytes}}}]}}""";

    private static SafetensorsHeader Parse(byte[] file)
    {
        var length = SafetensorsHeader.JsonLength("x", file, file.Length);
        return SafetensorsHeader.Parse("x", file.AsSpan(8, length), file.Length - 8 - length);
    }

    private static void Refuses(string json, int dataBytes, string expected)
    {
        var failure = Assert.Throws<CheckpointFormatException>(() => Parse(SafetensorsBuilder.File(json, dataBytes)));

        Assert.Contains(expected, failure.Message);
    }
}
