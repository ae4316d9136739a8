using Plimsoll.Checkpoints.Bytes;
using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Checkpoints.Tests.Builders;
using Plimsoll.Testing.Builders;
using Plimsoll.Numerics;

namespace Plimsoll.Checkpoints.Tests.Gguf;

public class GgufTests
{
    [Fact]
    public void Values_of_every_type_are_read()
    {
        var metadata = Parse(GgufBuilder.Valid().File(GgufBuilder.ValidDataBytes)).Metadata;

        Assert.Equal("llama", metadata.String("general.architecture"));
        Assert.Equal([200, -56, 65535, -1, 4_000_000_000, -1, 7, -7],
            new[] { "u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64" }.Select(key => metadata.Integer(key)!.Value));
        Assert.Equal(0.5, metadata.Number("f32"));
        Assert.Equal(1e-6, metadata.Number("f64"));
        Assert.Equal(7.0, metadata.Number("u64"));
        Assert.True(metadata.Boolean("bool"));
        Assert.Equal([8, 4], metadata.Integers("heads")!.Value);
        Assert.Equal([7], metadata.Integers("u64")!.Value);
        Assert.Equal(3, metadata.Length("tokenizer.ggml.tokens"));
        Assert.Null(metadata.Integer("absent"));
        Assert.Null(metadata.Strings("absent"));
    }

    [Fact]
    public void Tensors_have_their_rows_last_and_lie_at_aligned_places()
    {
        var header = Parse(GgufBuilder.Valid().File(GgufBuilder.ValidDataBytes));

        Assert.Equal([2, 32], header.Tensors[1].Dimensions);
        Assert.Equal(NumberFormats.FromGgmlType(8), header.Tensors[1].Format);
        Assert.Equal(header.DataOffset + 32, header.Tensors[1].Offset);
        Assert.Equal(68, header.Tensors[1].Bytes);
        Assert.Equal(0, header.DataOffset % 32);
    }

    [Fact]
    public void A_value_of_another_type_is_refused_with_its_key()
    {
        var metadata = Parse(GgufBuilder.Valid().File(GgufBuilder.ValidDataBytes)).Metadata;

        Assert.Equal("x: expected an integer below 2^63 as the value of 'f32', found the number 0.5",
            Assert.Throws<CheckpointFormatException>(() => metadata.Integer("f32")).Message);
        Assert.Contains("a string as the value of 'u8', found the integer 200", Assert.Throws<CheckpointFormatException>(() => metadata.String("u8")).Message);
        Assert.Contains("found the string 'llama'", Assert.Throws<CheckpointFormatException>(() => metadata.Number("general.architecture")).Message);
        Assert.Contains("found an array of 2 integers", Assert.Throws<CheckpointFormatException>(() => metadata.Boolean("heads")).Message);
        Assert.Contains("found an array of 3 values of type Text", Assert.Throws<CheckpointFormatException>(() => metadata.Integers("tokenizer.ggml.tokens")).Message);
        Assert.Contains("an array of strings", Assert.Throws<CheckpointFormatException>(() => metadata.Strings("heads")).Message);
    }

    [Fact]
    public void Layer_patterns_are_read_from_booleans_and_from_integers()
    {
        var metadata = Parse(new GgufBuilder().Array("a", 7, 3, [1, 0, 1]).Array("b", 0, 3, [1, 0, 6]).File(0)).Metadata;

        Assert.Equal([true, false, true], metadata.Booleans("a")!.Value);
        Assert.Equal([true, false, true], metadata.Booleans("b")!.Value);
    }

    [Fact]
    public void Integers_beyond_63_bits_are_kept_but_not_given_as_long()
    {
        var metadata = Parse(new GgufBuilder().Key("big", 10, BitConverter.GetBytes(ulong.MaxValue)).File(0)).Metadata;

        Assert.Equal(ulong.MaxValue, metadata.Raw("big"));
        Assert.Throws<CheckpointFormatException>(() => metadata.Integer("big"));
    }

    [Fact]
    public void Long_arrays_are_located_and_read_later()
    {
        using var folder = new TemporaryFolder();
        var scores = Enumerable.Range(0, 5000).ToArray();
        var path = folder.Write("m.gguf", new GgufBuilder().Strings("tokens", "<s>", "", "é").Array("scores", 5, 5000, [.. scores.SelectMany(BitConverter.GetBytes)])
            .Key("after", 7, [1]).File(0));

        var metadata = GgufReader.ReadHeader(path).Metadata;

        Assert.Equal(["<s>", "", "é"], metadata.Strings("tokens")!);
        var array = Assert.IsType<GgufArray>(metadata.Raw("scores"));
        Assert.Equal((GgufValueType.Int32, 5000, 20_000), (array.ElementType, array.Count, array.Bytes));
        Assert.Equal(scores.Select(score => (double)score), array.ReadNumbers());
        Assert.True(metadata.Boolean("after"));
    }

    [Fact]
    public void Version_2_has_the_same_layout() => Assert.Equal(2, Parse(new GgufBuilder { Version = 2 }.Text("a", "b").Tensor("t", 0, 0, 1).File(4)).Version);

    [Theory]
    [InlineData(1u, "GGUF version 2 or 3, found version 1 (convert")]
    [InlineData(0x03000000u, "a little-endian GGUF file, found a byte-swapped version: the file is big-endian")]
    [InlineData(0u, "GGUF version 2 or 3, found version 0")]
    [InlineData(4u, "GGUF version 2 or 3, found version 4")]
    public void Other_versions_are_refused(uint version, string expected) => Refuses(new GgufBuilder { Version = version }, 0, expected);

    [Fact]
    public void Counts_are_not_believed()
    {
        Refuses(new GgufBuilder { ClaimedKeys = 1UL << 60 }, 0, "at byte 16: expected at most 65,536 keys, found 1,152,921,504,606,846,976");
        Refuses(new GgufBuilder { ClaimedTensors = 1UL << 60 }, 0, "at byte 8: expected at most 262,144 tensors");
        Refuses(new GgufBuilder { ClaimedTensors = 262_144 }, 0, "room for 0 keys and 262,144 tensors");
        Refuses(new GgufBuilder().Array("a", 0, 1UL << 60, []), 0, "at most 1,073,741,824 elements in 'a'");
        Refuses(new GgufBuilder().Array("a", 0, 1UL << 29, []), 0, "array 'a' of 536,870,912 bytes");
        Refuses(new GgufBuilder().Array("a", 8, 1UL << 29, []), 0, "array of strings of 4,294,967,296 bytes");
        Refuses(new GgufBuilder().Array("a", 8, 1, [255, 255, 255, 255, 255, 255, 255, 127]), 0, "a string that ends within the file");
        Refuses(new GgufBuilder().Key("a", 8, [255, 255, 255, 255, 255, 255, 255, 255]), 0, "a string within the file");
    }

    [Fact]
    public void Nested_arrays_are_refused() => Refuses(new GgufBuilder().Array("a", 9, 1, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 0, "an array of plain values as 'a', found an array of arrays");

    [Fact]
    public void Keys_and_names_may_not_repeat()
    {
        Refuses(new GgufBuilder().UInt32("a", 1).UInt32("a", 1), 0, "every key once, found 'a' a second time");
        Refuses(new GgufBuilder().Tensor("a", 0, 0, 8).Tensor("a", 0, 32, 8), 64, "every tensor name once, found 'a' a second time");
        Refuses(new GgufBuilder().UInt32("", 1), 0, "a key, found an empty one");
    }

    [Fact]
    public void Names_of_64_bytes_are_refused()
    {
        Assert.Single(Parse(new GgufBuilder().Tensor(new string('n', 63), 0, 0, 1).File(4)).Tensors);
        Refuses(new GgufBuilder().Tensor(new string('n', 64), 0, 0, 1), 4, "a tensor name of at most 63 bytes, found 64");
    }

    [Fact]
    public void Unknown_tensor_types_are_refused_by_name()
    {
        Refuses(new GgufBuilder().Tensor("t", 31, 0, 32), 64, "a ggml type for tensor 't', found type 31 (Q4_0_4_4, which ggml has removed)");
        Refuses(new GgufBuilder().Tensor("t", 1000, 0, 32), 64, "a ggml type for tensor 't', found the unknown type 1000");
        Refuses(new GgufBuilder().Tensor("t", uint.MaxValue, 0, 32), 64, "found the unknown type -1");
        Refuses(new GgufBuilder().Key("k", 13, []).Text("more", "text"), 0, "a value type from 0 to 12 for 'k', found 13");
    }

    [Fact]
    public void Shapes_are_not_believed()
    {
        Refuses(new GgufBuilder().Tensor("t", 0, 0, 1, 1, 1, 1, 1), 4, "at most 4 dimensions of tensor 't', found 5");
        Refuses(new GgufBuilder().Tensor("t", 0, 0, 1UL << 63), 4, "a dimension of tensor 't' below 2^63");
        Refuses(new GgufBuilder().Tensor("t", 0, 0, 1UL << 32, 1UL << 32), 4, "a number of elements of tensor 't' that fits 64 bits");
        Refuses(new GgufBuilder().Tensor("t", 0, 0, 1UL << 62), 4, "a size of tensor 't' that fits 64 bits");
        Refuses(new GgufBuilder().Tensor("t", 0, 0, 1UL << 60), 4, "bytes of tensor 't', found 4 bytes left (the file is cut off)");
        Refuses(new GgufBuilder().Tensor("t", 8, 0, 33), 64, "rows of tensor 't' in whole blocks of 32 (Q8_0), found rows of 33");
        Assert.Equal(0, Parse(new GgufBuilder().Tensor("t", 0, 0, 1UL << 40, 1UL << 40, 0).File(0)).Tensors[0].Elements);
        Assert.Empty(Parse(new GgufBuilder().Tensor("scalar", 0, 0).File(4)).Tensors[0].Dimensions);
    }

    [Fact]
    public void Tensors_follow_each_other_without_gap_or_overlap()
    {
        Refuses(new GgufBuilder().Tensor("a", 0, 0, 3).Tensor("b", 0, 16, 3), 64, "tensor 'b' at data offset 32, right after the one before it, found 16");
        Refuses(new GgufBuilder().Tensor("a", 0, 0, 3).Tensor("b", 0, 64, 3), 128, "tensor 'b' at data offset 32");
        Refuses(new GgufBuilder().Tensor("a", 0, 32, 3), 128, "tensor 'a' at data offset 0");
    }

    [Fact]
    public void The_padding_after_the_last_tensor_may_be_absent_but_its_data_may_not()
    {
        Assert.Single(Parse(new GgufBuilder().Tensor("a", 0, 0, 3).File(12)).Tensors);
        Refuses(new GgufBuilder().Tensor("a", 0, 0, 3), 11, "12 bytes of tensor 'a', found 11 bytes left");
    }

    [Fact]
    public void Alignment_is_a_power_of_two_of_32_bits()
    {
        var header = Parse(new GgufBuilder { Alignment = 64 }.UInt32("general.alignment", 64).Tensor("a", 0, 0, 1).Tensor("b", 0, 64, 1).File(68));
        Assert.Equal(0, header.DataOffset % 64);
        Refuses(new GgufBuilder().UInt32("general.alignment", 24), 0, "a power of two up to 2^30 as 'general.alignment', found 24");
        Refuses(new GgufBuilder().UInt32("general.alignment", 0), 0, "a power of two");
        Refuses(new GgufBuilder().UInt16("general.alignment", 32), 0, "an unsigned 32-bit integer as 'general.alignment', found UInt16");
        Refuses(new GgufBuilder().Text("general.alignment", "32"), 0, "an unsigned 32-bit integer as 'general.alignment', found Text");
    }

    [Fact]
    public void A_prefix_asks_for_more_bytes_until_it_holds_the_header()
    {
        var file = GgufBuilder.Valid().File(GgufBuilder.ValidDataBytes);
        var header = GgufBuilder.Valid().Header();
        var (length, requests) = (0L, 0);
        GgufHeader? parsed;
        while (!GgufHeader.TryParse("x", file.AsMemory(0, (int)length), file.Length, out parsed, out var needed))
        {
            Assert.InRange(needed, length + 1, header.Length);
            length = needed;
            requests++;
        }

        Assert.Equal(2, parsed.Tensors.Length);
        Assert.InRange(requests, 10, 200);
        Assert.True(GgufHeader.TryParse("x", header, null, out _));
        Assert.Throws<CheckpointFormatException>(() => GgufHeader.TryParse("x", file.AsMemory(0, 100), 100, out _));
    }

    [Fact]
    public void Any_cut_or_changed_byte_gives_a_result_or_the_format_exception()
    {
        var file = GgufBuilder.Valid().File(GgufBuilder.ValidDataBytes);

        var refused = Mutations.Check(file, file.Length - GgufBuilder.ValidDataBytes, source => GgufReader.ReadHeader(source));

        Assert.InRange(refused, file.Length, file.Length * 11);
    }

    private static GgufHeader Parse(byte[] file)
    {
        using var source = new PrefixByteSource("x", file, file.Length);
        return GgufReader.ReadHeader(source);
    }

    private static void Refuses(GgufBuilder builder, int dataBytes, string expected) =>
        Assert.Contains(expected, Assert.Throws<CheckpointFormatException>(() => Parse(builder.File(dataBytes))).Message);
}
