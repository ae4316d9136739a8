using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Blocks.Lattice;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Numerics.Tests.Blocks;

/// <summary>The lattices behind IQ1, IQ2 and IQ3.</summary>
public class LatticeTests
{
    public static TheoryData<string, int> Formats => new()
    {
        { "IQ2_XXS", 256 }, { "IQ2_XS", 512 }, { "IQ2_S", 1024 }, { "IQ1_S", 2048 }, { "IQ1_M", 2048 }, { "IQ3_XXS", 256 }, { "IQ3_S", 512 },
    };

    /// <summary>Blocks that hold each index once and again, whatever else they hold, through the table of ggml.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_point_is_that_of_ggml(string name, int points)
    {
        var ggml = Ggml.Require();
        var codec = BlockCodecs.Find(NumberFormats.Find(name)!)!;
        var lattice = Of(name);
        Assert.Equal(points, lattice.Points.Length);
        var blocks = new byte[codec.Format.BytesFor(8 * points * 256L)];
        new Random(5).NextBytes(blocks);
        var values = new float[8 * points * 256];
        var expected = new float[values.Length];
        ggml.Dequantize(codec.Format.GgmlType!.Value, blocks, expected);
        codec.Decode(blocks, values);
        Assert.True(values.Select(Bits).SequenceEqual(expected.Select(Bits)));
        Assert.Equal(points, IndicesIn(name, blocks, codec.Format.BlockBytes).Distinct().Count());

        static uint Bits(float value) => float.IsNaN(value) ? uint.MaxValue : BitConverter.SingleToUInt32Bits(value);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_neighbourhood_holds_the_points_of_the_nearest_distances_in_order(string name, int points)
    {
        var lattice = Of(name);
        var shells = points switch { 1024 => 1, 2048 => 3, 512 when lattice.Dimensions == 4 => 3, _ => 2 };
        var levels = lattice.Dimensions == 4 ? 8 : 3;
        // Sorting all points, as ggml does, takes long: some codes of each lattice.
        var random = new Random(3);
        for (var sample = 0; sample < 200; sample++)
        {
            var code = 0;
            for (var i = 0; i < lattice.Dimensions; i++)
                code |= random.Next(levels) << i * lattice.Bits;
            if (lattice.IndexOf[code] >= 0)
                continue;
            var sorted = lattice.Points.Select((point, index) => (Distance: Distance(lattice, point, code), index, point)).Order().ToArray();
            var farthest = sorted.Select(entry => entry.Distance).Distinct().ElementAt(shells - 1);
            Assert.Equal(sorted.TakeWhile(entry => entry.Distance <= farthest).Select(entry => entry.point), lattice.Neighbourhoods.Around(code).ToArray());
        }
    }

    /// <summary>ggml writes the indices behind a zero sub-block of IQ3_S into the wrong place; best mode does not.</summary>
    [Fact]
    public void Best_mode_keeps_the_weights_behind_zeros_in_their_place()
    {
        var codec = BlockCodecs.Find(NumberFormats.Find("IQ3_S")!)!;
        var values = WeightSamples.Create("normal", 256).ToArray();
        values.AsSpan(32, 32).Clear();
        Assert.InRange(Error(BlockSearch.Best), 0, 0.05);
        Assert.InRange(Error(BlockSearch.Exact), 0.5, 10);

        double Error(BlockSearch search)
        {
            var blocks = new byte[codec.Format.BlockBytes];
            var decoded = new float[256];
            codec.Encode(values, 256, blocks, [], search);
            codec.Decode(blocks, decoded);
            return values.Zip(decoded, (value, back) => (double)(value - back) * (value - back)).Sum() / values.Sum(value => (double)value * value);
        }
    }

    [Fact]
    public void Formats_that_need_importances_say_so()
    {
        var codec = BlockCodecs.Find(NumberFormats.Find("IQ2_XS")!)!;
        Assert.StartsWith("IQ2_XS cannot be encoded without the importance of each column", Assert.Throws<ArgumentException>(() => codec.Encode(new float[256], 256, new byte[74])).Message);
    }

    private static int Distance(Lattice lattice, int a, int b) => Enumerable.Range(0, lattice.Dimensions).Sum(i =>
    {
        var mask = (1 << lattice.Bits) - 1;
        var difference = (a >> i * lattice.Bits & mask) - (b >> i * lattice.Bits & mask);
        return difference * difference;
    });

    private static Lattice Of(string name) => name switch
    {
        "IQ2_XXS" => Lattice.Iq2Xxs,
        "IQ2_XS" => Lattice.Iq2Xs,
        "IQ2_S" => Lattice.Iq2S,
        "IQ3_XXS" => Lattice.Iq3Xxs,
        "IQ3_S" => Lattice.Iq3S,
        _ => Lattice.Iq1,
    };

    /// <summary>Some of the indices in blocks, read by the layouts of ggml-common.h.</summary>
    private static IEnumerable<int> IndicesIn(string name, byte[] blocks, int blockBytes) =>
        from start in Enumerable.Range(0, blocks.Length / blockBytes)
        let block = blocks.AsMemory(start * blockBytes, blockBytes)
        from i in Enumerable.Range(0, 4)
        select name switch
        {
            "IQ2_XXS" => block.Span[2 + i],
            "IQ2_XS" => block.Span[2 + 2 * i] | (block.Span[3 + 2 * i] & 1) << 8,
            "IQ2_S" => block.Span[2 + i] | (block.Span[66] >> 2 * i & 3) << 8,
            "IQ3_XXS" => block.Span[2 + i],
            "IQ3_S" => block.Span[2 + i] | (block.Span[66] >> i & 1) << 8,
            "IQ1_S" => block.Span[2 + i] | ((block.Span[34] | block.Span[35] << 8) >> 3 * i & 7) << 8,
            _ => block.Span[i] | (block.Span[32 + i / 2] >> 4 * (i % 2) & 7) << 8,
        };
}
