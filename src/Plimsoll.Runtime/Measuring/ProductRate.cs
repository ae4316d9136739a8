using Plimsoll.Numerics;
using Plimsoll.Numerics.Linear;

namespace Plimsoll.Runtime.Measuring;

/// <summary>How fast weights in one format are multiplied.</summary>
/// <param name="DecodeBytesPerSecond">Packed bytes per second with one vector of inputs, from memory.</param>
/// <param name="PrefillOperationsPerSecond">Additions and multiplications per second with many vectors of inputs.</param>
public readonly record struct ProductRate(NumberFormat Format, double DecodeBytesPerSecond, double PrefillOperationsPerSecond)
{
    private const int Size = 2048;
    private const int Prompt = 128;

    /// <summary>Weights that one round of decoding goes through: more than caches hold.</summary>
    private const long BytesInTurn = 96L << 20;

    /// <exception cref="NotSupportedException">No product for this format.</exception>
    public static ProductRate Measure(NumberFormat format, ComputePool pool, TimeProvider time, int rounds = 5)
    {
        var copies = (int)Math.Max(1, BytesInTurn / format.BytesFor((long)Size * Size));
        var random = new Random(1);
        var inputs = new float[Prompt * Size];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = random.NextSingle() - 0.5f;
        var outputs = new float[Prompt * Size];
        var matrices = Enumerable.Range(0, copies).Select(_ => PackedMatrices.Create(format, Size, Size, (_, bytes) => Fill(format, bytes))).ToArray();
        try
        {
            var decode = Medians.Rate((double)copies * format.BytesFor((long)Size * Size), rounds, time, () =>
            {
                foreach (var matrix in matrices)
                    matrix.Multiply(inputs.AsSpan(0, Size), 1, outputs.AsSpan(0, Size), pool);
            });
            var prefill = Medians.Rate(2.0 * Size * Size * Prompt, rounds, time, () => matrices[0].Multiply(inputs, Prompt, outputs, pool));
            return new(format, decode, prefill);
        }
        finally
        {
            foreach (var matrix in matrices)
                matrix.Dispose();
        }
    }

    /// <summary>Bytes of small numbers whatever the format: 0x1C1C is 0.004 in FP16 and as small in BF16, so that nothing overflows or is subnormal.</summary>
    private static void Fill(NumberFormat format, Span<byte> bytes) => bytes.Fill(format.Kind == NumberFormatKind.Float ? (byte)0x3C : (byte)0x1C);
}
