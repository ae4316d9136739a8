using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>Inputs quantized to signed bytes, a scale per 32: x ≈ d · q with d = max |x| / 127, as ggml's Q8_0 but with d in FP32.</summary>
/// <remarks>
/// A block is one column of inputs within one chunk: 256 codes, then 8 scales d, then −d · Σq of each 16 (16 floats) and of each 32 (8 floats), times a
/// factor, which multiply the minimums of the weights or take back what their codes have too much (<see cref="IntegerKernel.SumFactor"/>). The blocks of a chunk lie together, (chunks, count). Kernels for signed weights take the codes as 16-bit numbers
/// in the order 0 2 1 3 of each quad; the others as bytes.
/// </remarks>
internal static unsafe class InputBlocks
{
    /// <summary>Where the negated sums of 16 and of 32 begin among the floats of a block.</summary>
    public const int SumsOf16 = 8;
    public const int SumsOf32 = SumsOf16 + 16;

    /// <summary>Floats of a block.</summary>
    public const int Floats = SumsOf32 + 8;

    public static int CodeBytes(bool words) => Panel.ChunkColumns * (words ? sizeof(short) : sizeof(sbyte));

    public static int BlockBytes(bool words) => CodeBytes(words) + Floats * sizeof(float);

    /// <summary>Quantizes columns [<paramref name="from"/>, <paramref name="to"/>) of <paramref name="count"/>.</summary>
    /// <param name="inputs">(count, length); <paramref name="length"/> is a multiple of 32.</param>
    public static void Quantize(float* inputs, int length, int from, int to, int count, bool words, float factor, byte* blocks)
    {
        for (var column = from; column < to; column++)
        {
            for (var start = 0; start < length; start += Panel.ChunkColumns)
            {
                var block = blocks + ((long)(start / Panel.ChunkColumns) * count + column) * BlockBytes(words);
                Quantize(inputs + (long)column * length + start, Math.Min(Panel.ChunkColumns, length - start), words, factor, block);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Quantize(float* x, int length, bool words, float factor, byte* block)
    {
        var scales = (float*)(block + CodeBytes(words));
        var sums16 = scales + SumsOf16;
        var sums32 = scales + SumsOf32;
        for (var group = 0; group < length / 32; group++, x += 32)
        {
            var x0 = Vector256.Load(x);
            var x1 = Vector256.Load(x + 8);
            var x2 = Vector256.Load(x + 16);
            var x3 = Vector256.Load(x + 24);
            var peak = Largest(Vector256.Max(Vector256.Max(Vector256.Abs(x0), Vector256.Abs(x1)), Vector256.Max(Vector256.Abs(x2), Vector256.Abs(x3))));
            var scale = peak / 127;
            var inverse = Vector256.Create(scale > 0 ? 1 / scale : 0);
            var q0 = Vector256.ConvertToInt32(Vector256.Round(x0 * inverse));
            var q1 = Vector256.ConvertToInt32(Vector256.Round(x1 * inverse));
            var q2 = Vector256.ConvertToInt32(Vector256.Round(x2 * inverse));
            var q3 = Vector256.ConvertToInt32(Vector256.Round(x3 * inverse));
            var first = Vector256.Sum(q0 + q1);
            var second = Vector256.Sum(q2 + q3);
            scales[group] = scale;
            sums16[2 * group] = -scale * first * factor;
            sums16[2 * group + 1] = -scale * second * factor;
            sums32[group] = -scale * (first + second) * factor;

            var low = Vector256.Narrow(q0, q1);
            var high = Vector256.Narrow(q2, q3);
            if (words)
            {
                var target = (short*)block + group * 32;
                EvenThenOdd(low).Store(target);
                EvenThenOdd(high).Store(target + 16);
            }
            else
            {
                Vector256.Narrow(low, high).Store((sbyte*)block + group * 32);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> EvenThenOdd(Vector256<short> quads) =>
        Vector256.Shuffle(quads, Vector256.Create(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(Vector256<float> magnitudes)
    {
        var four = Vector128.Max(magnitudes.GetLower(), magnitudes.GetUpper());
        var two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(two.GetElement(0), two.GetElement(1));
    }
}
