using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Quantizers;

/// <summary>FP4 (E2M1) codes that share a small scale: MXFP4 (32 codes, a power of two) and NVFP4 (16 codes, an FP8 scale, and an FP32 scale per tensor).</summary>
/// <remarks>Sources: OCP Microscaling Formats 1.0; compressed-tensors fp4_quant and mxfp4_quant; NVIDIA Model Optimizer (NVFP4).</remarks>
public static class MicroScaling
{
    public const int MxBlock = 32;
    public const int NvBlock = 16;

    /// <summary>The largest magnitudes of E2M1 and E4M3.</summary>
    private const float Fp4Max = 6;
    private const float Fp8Max = 448;

    /// <summary>The exponent of the largest E2M1 number, 6 = 1.5 · 2².</summary>
    private const int Fp4MaxExponent = 2;

    private static readonly float[] Values = [.. Enumerable.Range(0, 16).Select(code => (float)FloatLayout.E2M1.Decode((ulong)code))];

    private static readonly float[] Fp8 = [.. Enumerable.Range(0, 256).Select(code => (float)FloatLayout.E4M3.Decode((ulong)code))];

    /// <summary>The value of an E4M3 code.</summary>
    public static float Fp8Scale(byte code) => Fp8[code];

    /// <summary>2^(code − 127).</summary>
    public static float PowerOfTwo(byte code) => (float)E8M0.Decode(code);

    /// <summary>The nearest E2M1 code of each weight / scale, ties to the even code, saturating at ±6.</summary>
    /// <param name="codes">One per weight: sign · 8 + index.</param>
    public static void Encode(ReadOnlySpan<float> weights, float scale, Span<byte> codes)
    {
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; at <= weights.Length - Vector256<float>.Count; at += Vector256<float>.Count)
            {
                var scaled = Vector256.Create(weights[at..]) / scale;
                var magnitude = Vector256.Abs(scaled);
                var code = -(Vector256.GreaterThan(magnitude, Vector256.Create(0.25f)).AsInt32() + Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(0.75f)).AsInt32()
                    + Vector256.GreaterThan(magnitude, Vector256.Create(1.25f)).AsInt32() + Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(1.75f)).AsInt32()
                    + Vector256.GreaterThan(magnitude, Vector256.Create(2.5f)).AsInt32() + Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(3.5f)).AsInt32()
                    + Vector256.GreaterThan(magnitude, Vector256.Create(5f)).AsInt32());
                code |= Vector256.ShiftRightLogical(scaled.AsInt32(), 28) & Vector256.Create(8);
                for (var lane = 0; lane < Vector256<float>.Count; lane++)
                    codes[at + lane] = (byte)code[lane];
            }
        }
        for (; at < weights.Length; at++)
            codes[at] = (byte)FloatLayout.E2M1.Encode(weights[at] / scale, FloatOverflow.Saturate);
    }

    /// <summary>w = value of the code · scale.</summary>
    public static void Decode(ReadOnlySpan<byte> codes, float scale, Span<float> weights) => CodebookQuantizer.Decode(codes, Values, scale, weights);

    /// <summary>
    /// Encodes a block of MXFP4. Of the exponent that the OCP specification gives, floor(log2 amax) − 2, which cuts off weights above 6 · 2^e, and the next one,
    /// which cuts off none, the one with the smaller squared error is taken; of equals the specification's.
    /// </summary>
    /// <returns>The E8M0 code of the scale.</returns>
    public static byte EncodeMx(ReadOnlySpan<float> block, Span<byte> codes)
    {
        var largest = GroupQuantizer.Largest(block);
        if (largest == 0)
        {
            codes.Clear();
            return 0;
        }
        var low = (byte)Math.Clamp(Math.ILogB(largest) - Fp4MaxExponent + E8M0.Bias, 0, E8M0.Nan - 1);
        Encode(block, PowerOfTwo(low), codes);
        if (largest <= Fp4Max * PowerOfTwo(low) || low == E8M0.Nan - 1)
            return low;
        Span<byte> wider = stackalloc byte[block.Length];
        var high = (byte)(low + 1);
        Encode(block, PowerOfTwo(high), wider);
        if (SquaredError(block, wider, PowerOfTwo(high)) >= SquaredError(block, codes, PowerOfTwo(low)))
            return low;
        wider.CopyTo(codes);
        return high;
    }

    /// <summary>The FP32 scale of a tensor, as a divisor: what carries its largest magnitude to the largest product of an E4M3 scale and an E2M1 code.</summary>
    public static float NvGlobalDivisor(float largest) => largest > 0 ? Fp8Max * Fp4Max / largest : 1;

    /// <summary>Encodes a block of NVFP4: scale = E4M3(amax / 6 · divisor), w ≈ code · scale / divisor.</summary>
    /// <param name="divisor">Of the whole tensor: <see cref="NvGlobalDivisor"/>.</param>
    /// <returns>The E4M3 code of the scale.</returns>
    public static byte EncodeNv(ReadOnlySpan<float> block, float divisor, Span<byte> codes)
    {
        var scale = (byte)FloatLayout.E4M3.Encode(GroupQuantizer.Largest(block) / Fp4Max * divisor, FloatOverflow.Saturate);
        if (scale == 0)
            codes.Clear();
        else
            Encode(block, Fp8Scale(scale) / divisor, codes);
        return scale;
    }

    private static float SquaredError(ReadOnlySpan<float> block, ReadOnlySpan<byte> codes, float scale)
    {
        var sum = 0f;
        for (var at = 0; at < block.Length; at++)
        {
            var error = Values[codes[at]] * scale - block[at];
            sum += error * error;
        }
        return sum;
    }
}
