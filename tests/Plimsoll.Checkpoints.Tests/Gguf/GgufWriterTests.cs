using Plimsoll.Checkpoints.Gguf;
using Plimsoll.Numerics;
using Plimsoll.Testing.Builders;

namespace Plimsoll.Checkpoints.Tests.Gguf;

public class GgufWriterTests
{
    /// <summary>The same file as the builder of the tests writes, which knows the format on its own.</summary>
    [Fact]
    public void A_header_is_written_byte_for_byte_as_the_format_says()
    {
        var keys = new GgufKeyValues();
        keys.Text("general.architecture", "llama");
        keys.UInt8("u8", 200);
        keys.Int8("i8", -56);
        keys.UInt16("u16", 65535);
        keys.Int16("i16", -1);
        keys.UInt32("u32", 4_000_000_000);
        keys.Int32("i32", -1);
        keys.Float32("f32", 0.5f);
        keys.Boolean("bool", true);
        keys.UInt64("u64", 7);
        keys.Int64("i64", -7);
        keys.Float64("f64", 1e-6);
        keys.Texts("tokenizer.ggml.tokens", ["<s>", "", "é"]);
        keys.UInt32s("heads", [8, 4]);
        var layout = GgufWriter.Layout(keys, [new("norm", NumberFormats.Fp32, [3]), new("weight", NumberFormats.Q8_0, [2, 32])]);

        Assert.Equal(GgufBuilder.Valid().Header(), layout.Header.ToArray());
        Assert.Equal([layout.Header.Length, layout.Header.Length + 32], layout.Offsets);
        Assert.Equal(layout.Header.Length + 32 + 96, layout.Length);
    }

    [Fact]
    public void Arrays_of_every_type_come_back()
    {
        var keys = new GgufKeyValues();
        keys.UInt8s("bytes", [0, 255]);
        keys.Int32s("integers", [-1, 3]);
        keys.Float32s("numbers", [0.5f, -2]);
        keys.Booleans("flags", [true, false]);
        keys.Texts("raw", [new byte[] { 0x61 }, ReadOnlyMemory<byte>.Empty]);
        var metadata = Read(GgufWriter.Layout(keys, [])).Metadata;
        Assert.Equal([0L, 255], metadata.Integers("bytes")!.Value);
        Assert.Equal([-1L, 3], metadata.Integers("integers")!.Value);
        Assert.Equal([0.5, -2], metadata.Numbers("numbers")!.Value);
        Assert.Equal([true, false], metadata.Booleans("flags")!.Value);
        Assert.Equal(2, metadata.Length("raw"));
    }

    [Fact]
    public void Another_alignment_is_written_as_a_key_and_kept_by_every_tensor()
    {
        var layout = GgufWriter.Layout(new(), [new("a", NumberFormats.Fp32, [1]), new("b", NumberFormats.Fp32, [1])], alignment: 256);
        var header = Read(layout);
        Assert.Equal(256, header.Alignment);
        Assert.All(layout.Offsets, offset => Assert.Equal(0, offset % 256));
        Assert.Equal(layout.Offsets, header.Tensors.Select(tensor => tensor.Offset));
    }

    [Fact]
    public void A_key_that_is_set_again_keeps_its_place_and_gets_the_new_value()
    {
        var keys = new GgufKeyValues();
        keys.UInt32("first", 1);
        keys.UInt32("second", 2);
        keys.Text("first", "one");
        keys.UInt32("third", 3);
        keys.Remove("second");
        Assert.Equal(["first", "third"], keys.Keys);
        Assert.Equal("one", Read(GgufWriter.Layout(keys, [])).Metadata.String("first"));
    }

    [Fact]
    public void Keys_of_another_file_are_taken_over_with_their_types()
    {
        using var folder = new TemporaryFolder();
        var source = GgufReader.ReadHeader(folder.Write("source.gguf", GgufBuilder.Valid().File(GgufBuilder.ValidDataBytes)));
        GgufTensorInfo[] tensors = [.. source.Tensors.Select(tensor => new GgufTensorInfo(tensor.Name, tensor.Format, tensor.Dimensions))];
        var (all, some) = (new GgufKeyValues(), new GgufKeyValues());
        all.CopyFrom(source.Metadata, _ => true);
        some.CopyFrom(source.Metadata, key => key.StartsWith("general.", StringComparison.Ordinal));

        Assert.Equal(GgufBuilder.Valid().Header(), GgufWriter.Layout(all, tensors).Header.ToArray());
        Assert.Equal(["general.architecture"], some.Keys);
    }

    [Theory]
    [InlineData(64, "a tensor name has 1 to 63 bytes, not 'aaaa")]
    [InlineData(0, "a tensor name has 1 to 63 bytes, not ''")]
    public void Names_that_the_loader_refuses_are_not_written(int length, string message) =>
        Refuses(message, new GgufTensorInfo(new('a', length), NumberFormats.Fp32, [1]));

    [Fact]
    public void Tensors_that_the_loader_refuses_are_not_written()
    {
        Refuses("'a' is there twice", new("a", NumberFormats.Fp32, [1]), new("a", NumberFormats.Fp32, [1]));
        Refuses("'a' has 5 dimensions; GGUF has 1 to 4", new GgufTensorInfo("a", NumberFormats.Fp32, [1, 1, 1, 1, 1]));
        Refuses("'a' is NF4, which ggml does not have", new GgufTensorInfo("a", NumberFormats.Nf4, [64]));
        Refuses("'a' has rows of 16, which blocks of 32 (Q8_0) do not divide", new GgufTensorInfo("a", NumberFormats.Q8_0, [2, 16]));
        Assert.StartsWith("an alignment is a power of two, not 48", Assert.Throws<ArgumentException>(() => GgufWriter.Layout(new(), [], alignment: 48)).Message, StringComparison.Ordinal);
    }

    private static void Refuses(string message, params GgufTensorInfo[] tensors) =>
        Assert.StartsWith(message, Assert.Throws<ArgumentException>(() => GgufWriter.Layout(new(), tensors)).Message, StringComparison.Ordinal);

    private static GgufHeader Read(GgufFileLayout layout)
    {
        Assert.True(GgufHeader.TryParse("memory", layout.Header, layout.Length, out var header));
        return header;
    }
}
