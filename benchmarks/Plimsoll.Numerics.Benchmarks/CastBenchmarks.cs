using Plimsoll.Numerics.Codecs;
using Plimsoll.Testing.Peers;

namespace Plimsoll.Numerics.Benchmarks;

/// <summary>Casts between FP32 and the 16-bit floats, against ggml and against copying as many bytes as are read and written.</summary>
internal static class CastBenchmarks
{
    public static void Run(Ggml ggml)
    {
        Console.WriteLine("| cast | elements | Plimsoll, GB/s read and written | copy | ggml | of the copy |");
        Console.WriteLine("|---|--:|--:|--:|--:|--:|");
        foreach (var count in (int[])[1 << 15, 1 << 24])
        {
            var random = new Random(7);
            var (values, codes) = (new float[count], new ushort[count]);
            for (var i = 0; i < count; i++)
                values[i] = (float)(random.NextDouble() - 0.5);
            var (from, to) = (new byte[count * 3], new byte[count * 3]);
            Row("FP32 → FP16", () => FloatCast.ToFp16(values, codes), () => ggml.ToFp16(values, codes));
            Row("FP16 → FP32", () => FloatCast.FromFp16(codes, values), () => ggml.FromFp16(codes, values));
            Row("FP32 → BF16", () => FloatCast.ToBf16(values, codes), () => ggml.ToBf16(values, codes));
            Row("BF16 → FP32", () => FloatCast.FromBf16(codes, values), () => ggml.FromBf16(codes, values));

            void Row(string name, Action ours, Action peer)
            {
                // 6 bytes an element in either case: 4 + 2 by the cast, 3 + 3 by the copy.
                var times = Interleaved.Medians(ours, () => Buffer.BlockCopy(from, 0, to, 0, from.Length), peer);
                var rates = times.Select(time => 6.0 * count / time / 1e9).ToArray();
                Console.WriteLine($"| {name} | {count} | {rates[0]:0.0} | {rates[1]:0.0} | {rates[2]:0.0} | {rates[0] / rates[1]:P0} |");
            }
        }
    }
}
