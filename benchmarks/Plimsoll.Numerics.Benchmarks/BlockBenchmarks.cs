using Plimsoll.Numerics.Blocks;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Numerics.Benchmarks;

/// <summary>Block codecs against <c>ggml_quantize_chunk</c> and <c>to_float</c>.</summary>
internal static class BlockBenchmarks
{
    private const int RowLength = 4096;
    private const int Rows = 16;

    public static void Encode(Ggml ggml, string[] names)
    {
        var values = Normal(Rows * RowLength, 0.02f);
        var importance = Normal(RowLength, 1).Select(value => value * value).ToArray();
        Console.WriteLine("| format | importances | Plimsoll, million weights/s | ggml | ratio |");
        Console.WriteLine("|---|---|--:|--:|--:|");
        foreach (var codec in Chosen(names))
        {
            var blocks = new byte[codec.Format.BytesFor(values.Length)];
            foreach (var weights in (float[][])[[], importance])
            {
                if (weights.Length == 0 ? codec.Importance == ImportanceUse.Required : codec.Importance == ImportanceUse.Ignored)
                    continue;
                var times = Interleaved.Medians(
                    () => codec.Encode(values, RowLength, blocks, weights),
                    () => ggml.Quantize(codec.Format.GgmlType!.Value, values, RowLength, weights, blocks));
                Console.WriteLine($"| {codec.Format} | {(weights.Length == 0 ? "no" : "yes")} | {values.Length / times[0] / 1e6:0.#} | {values.Length / times[1] / 1e6:0.#} | {times[1] / times[0]:0.0} |");
            }
        }
    }

    public static void Decode(Ggml ggml, string[] names)
    {
        var values = Normal(Rows * RowLength, 0.02f);
        var importance = Normal(RowLength, 1).Select(value => value * value).ToArray();
        Console.WriteLine("| format | Plimsoll, million weights/s | ggml | ratio |");
        Console.WriteLine("|---|--:|--:|--:|");
        foreach (var codec in Chosen(names))
        {
            var blocks = new byte[codec.Format.BytesFor(values.Length)];
            codec.Encode(values, RowLength, blocks, importance);
            var decoded = new float[values.Length];
            var times = Interleaved.Medians(() => codec.Decode(blocks, decoded), () => ggml.Dequantize(codec.Format.GgmlType!.Value, blocks, decoded));
            Console.WriteLine($"| {codec.Format} | {values.Length / times[0] / 1e6:0.#} | {values.Length / times[1] / 1e6:0.#} | {times[1] / times[0]:0.0} |");
        }
    }

    private static IEnumerable<BlockCodec> Chosen(string[] names) =>
        BlockCodecs.All.Where(codec => names.Length == 0 || names.Contains(codec.Format.Name, StringComparer.OrdinalIgnoreCase));

    private static float[] Normal(int count, float deviation)
    {
        var random = new Random(7);
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }
}
