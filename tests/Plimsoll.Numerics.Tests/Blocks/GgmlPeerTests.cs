using Plimsoll.Numerics.Blocks;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Numerics.Tests.Blocks;

/// <summary>Every block codec against ggml itself: <c>ggml_quantize_chunk</c> and <c>to_float</c> of llama.cpp v0.5.0.</summary>
public class GgmlPeerTests
{
    /// <summary>A last batch of super-blocks is not full, and importances come around at another lane with every row.</summary>
    private const int RowLength = 256 * 5;
    private const int Rows = 88;

    public static TheoryData<string> Codecs => new(BlockCodecs.All.Select(codec => codec.Format.Name));

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Encodes_to_the_bytes_of_ggml(string name)
    {
        var codec = BlockCodecs.Find(NumberFormats.Find(name)!)!;
        if (codec.Importance != ImportanceUse.Required)
            Assert.All(WeightSamples.KindsOf(codec.Format), kind => AssertSameBytes(codec, kind, []));
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Encodes_to_the_bytes_of_ggml_with_importances(string name)
    {
        var codec = BlockCodecs.Find(NumberFormats.Find(name)!)!;
        Assert.All(WeightSamples.KindsOf(codec.Format), kind => AssertSameBytes(codec, kind, WeightSamples.Importance(RowLength)));
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Decodes_any_bytes_to_the_floats_of_ggml(string name)
    {
        var ggml = Ggml.Require();
        var codec = BlockCodecs.Find(NumberFormats.Find(name)!)!;
        var blocks = new byte[codec.Format.BlockBytes * 2000];
        new Random(1).NextBytes(blocks);
        var values = new float[codec.Format.BlockLength * 2000];
        var expected = new float[values.Length];

        codec.Decode(blocks, values);
        ggml.Dequantize(codec.Format.GgmlType!.Value, blocks, expected);

        Assert.Equal(expected.Select(Bits), values.Select(Bits));

        // One NaN is as good as another.
        static uint Bits(float value) => float.IsNaN(value) ? uint.MaxValue : BitConverter.SingleToUInt32Bits(value);
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void The_block_is_as_long_as_that_of_ggml(string name)
    {
        var format = NumberFormats.Find(name)!;
        Assert.Equal((format.BlockLength, format.BlockBytes), Ggml.Require().Block(format.GgmlType!.Value));
    }

    [Fact]
    public void Importances_are_required_where_ggml_requires_them()
    {
        var ggml = Ggml.Require();
        Assert.All(BlockCodecs.All, codec => Assert.Equal(ggml.RequiresImportance(codec.Format.GgmlType!.Value), codec.Importance == ImportanceUse.Required));
    }

    private static void AssertSameBytes(BlockCodec codec, string kind, float[] importance)
    {
        var ggml = Ggml.Require();
        var values = WeightSamples.Create(kind, Rows * RowLength);
        var blocks = new byte[codec.Format.BytesFor(values.Length)];
        var expected = new byte[blocks.Length];

        codec.Encode(values, RowLength, blocks, importance);
        ggml.Quantize(codec.Format.GgmlType!.Value, values, RowLength, importance, expected);

        var first = blocks.AsSpan().CommonPrefixLength(expected);
        if (first == blocks.Length)
            return;
        var block = first / codec.Format.BlockBytes;
        var differing = Enumerable.Range(0, blocks.Length / codec.Format.BlockBytes).Count(i =>
            !blocks.AsSpan(i * codec.Format.BlockBytes, codec.Format.BlockBytes).SequenceEqual(expected.AsSpan(i * codec.Format.BlockBytes, codec.Format.BlockBytes)));
        Assert.Fail($"""
            {kind}: {differing} blocks differ, the first is {block}, at byte {first % codec.Format.BlockBytes}
            {Convert.ToHexString(expected, block * codec.Format.BlockBytes, codec.Format.BlockBytes)}
            {Convert.ToHexString(blocks, block * codec.Format.BlockBytes, codec.Format.BlockBytes)}
            {string.Join(' ', values.AsSpan(block * codec.Format.BlockLength, codec.Format.BlockLength).ToArray())}
            """);
    }
}
