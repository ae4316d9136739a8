using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Tests.Blocks;

/// <summary>The codecs at 8 and 16 lanes against their scalar twin.</summary>
public class LaneTests
{
    private const int RowLength = 256 * 3;
    private const int Rows = 3;

    private static readonly Dictionary<int, IReadOnlyList<BlockCodec>> Widths = new()
    {
        [1] = GgmlCodecs.Of<Lanes1>(),
        [8] = GgmlCodecs.Of<Lanes8>(),
        [16] = GgmlCodecs.Of<Lanes16>(),
    };

    public static TheoryData<string, int> Cases => new(
        from codec in Widths[1]
        from lanes in (int[])[8, 16]
        select (codec.Format.Name, lanes));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Bytes_and_values_do_not_depend_on_the_number_of_lanes(string name, int lanes)
    {
        var scalar = Widths[1].Single(codec => codec.Format.Name == name);
        var wide = Widths[lanes].Single(codec => codec.Format.Name == name);
        Assert.All(WeightSamples.KindsOf(scalar.Format), kind =>
        {
            foreach (var importance in WeightSamples.ImportancesOf(scalar, RowLength))
            {
                foreach (var search in Enum.GetValues<BlockSearch>())
                {
                    var values = WeightSamples.Create(kind, Rows * RowLength);
                    var blocks = new byte[scalar.Format.BytesFor(values.Length)];
                    var expected = new byte[blocks.Length];
                    scalar.Encode(values, RowLength, expected, importance, search);
                    wide.Encode(values, RowLength, blocks, importance, search);
                    Assert.True(expected.AsSpan().SequenceEqual(blocks), $"{kind}, {search}, {importance.Length} importances");

                    var (decoded, reference) = (new float[values.Length], new float[values.Length]);
                    scalar.Decode(expected, reference);
                    wide.Decode(blocks, decoded);
                    Assert.True(MemoryMarshal.Cast<float, uint>(reference).SequenceEqual(MemoryMarshal.Cast<float, uint>(decoded)), $"values of {kind}");
                }
            }
        });
    }

    [Fact]
    public void The_widest_lanes_of_the_machine_are_taken()
    {
        var expected = Vector512.IsHardwareAccelerated ? typeof(Lanes16) : Vector256.IsHardwareAccelerated ? typeof(Lanes8) : typeof(Lanes1);
        Assert.Equal(expected, Assert.Single(BlockCodecs.Find(NumberFormats.Q4_0)!.GetType().GetGenericArguments()));
    }
}
