using Plimsoll.Numerics.Blocks;

namespace Plimsoll.Numerics.Tests.Blocks;

/// <summary>The best mode: the same format and bytes, a smaller weighted error than ggml's.</summary>
public class BestModeTests
{
    private const int RowLength = 512;
    private const int Rows = 64;

    public static TheoryData<string> Codecs => new(BlockCodecs.All.Select(codec => codec.Format.Name));

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Probe(string name)
    {
        var codec = BlockCodecs.Find(NumberFormats.Find(name)!)!;
        var values = WeightSamples.Create("heavy tails", Rows * RowLength);
        var importance = WeightSamples.Importance(RowLength);
        foreach (var w in (float[][])[[], importance])
        {
            double exact = Errors(codec, values, w, BlockSearch.Exact).Sum();
            double best = Errors(codec, values, w, BlockSearch.Best).Sum();
            TestContext.Current.TestOutputHelper!.WriteLine($"{name} {w.Length}: {1 - best / exact:P2}");
            File.AppendAllText("/tmp/codecs-k/best.txt", $"{name} {w.Length}: {1 - best / exact:P2} {exact} {best}\n");
        }
    }

    private static double[] Errors(BlockCodec codec, float[] values, float[] importance, BlockSearch search)
    {
        var blocks = new byte[codec.Format.BytesFor(values.Length)];
        var decoded = new float[values.Length];
        codec.Encode(values, RowLength, blocks, importance, search);
        codec.Decode(blocks, decoded);
        return
        [
            .. Enumerable.Range(0, values.Length / codec.Format.BlockLength).Select(block => Enumerable.Range(block * codec.Format.BlockLength, codec.Format.BlockLength)
                .Sum(i => (importance.Length == 0 ? 1 : importance[i % RowLength]) * Math.Pow(values[i] - decoded[i], 2))),
        ];
    }
}
