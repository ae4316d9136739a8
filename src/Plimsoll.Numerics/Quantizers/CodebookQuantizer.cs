using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Quantizers;

/// <summary>Block-wise 4-bit quantization of bitsandbytes: the nearest entry of a codebook to w / absmax, where absmax is the largest magnitude of the block.</summary>
/// <remarks>Source: bitsandbytes functional.py, quantize_4bit. A weight halfway between two entries takes the smaller one.</remarks>
public sealed class CodebookQuantizer
{
    private const int Entries = 16;

    private readonly float[] valueOf;
    private readonly byte[] codeOfRank = new byte[Entries];
    private readonly float[] midpoints = new float[Entries - 1];

    private CodebookQuantizer(Codebook book)
    {
        valueOf = [.. book.Values];
        // Both zeros of FP4 are entries: the negative one sorts first.
        var ranked = Enumerable.Range(0, Entries).OrderBy(code => valueOf[code]).ThenByDescending(code => float.IsNegative(valueOf[code])).ToArray();
        for (var rank = 0; rank < Entries; rank++)
            codeOfRank[rank] = (byte)ranked[rank];
        for (var rank = 0; rank < Entries - 1; rank++)
        {
            var (below, above) = ((double)valueOf[ranked[rank]], (double)valueOf[ranked[rank + 1]]);
            midpoints[rank] = below == above ? -float.Epsilon : (float)((below + above) / 2);
        }
    }

    public static CodebookQuantizer Nf4 { get; } = new(Codebook.Nf4);

    public static CodebookQuantizer Fp4 { get; } = new(Codebook.BitsAndBytesFp4);

    /// <summary>The value of each code, relative to the block's absmax.</summary>
    public ReadOnlySpan<float> Values => valueOf;

    /// <summary>Encodes one block.</summary>
    /// <param name="absmax">Its largest magnitude; 0 makes every code the one of 0.</param>
    /// <param name="codes">One per weight.</param>
    public void Encode(ReadOnlySpan<float> block, float absmax, Span<byte> codes)
    {
        var divisor = absmax > 0 ? absmax : 1;
        var at = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; at <= block.Length - Vector256<float>.Count; at += Vector256<float>.Count)
            {
                var scaled = Vector256.Create(block[at..]) / divisor;
                var rank = Vector256<int>.Zero;
                foreach (var midpoint in midpoints)
                    rank -= Vector256.GreaterThan(scaled, Vector256.Create(midpoint)).AsInt32();
                for (var lane = 0; lane < Vector256<float>.Count; lane++)
                    codes[at + lane] = codeOfRank[rank[lane]];
            }
        }
        for (; at < block.Length; at++)
            codes[at] = codeOfRank[RankOf(block[at] / divisor)];
    }

    /// <summary>w = value of the code · absmax.</summary>
    public void Decode(ReadOnlySpan<byte> codes, float absmax, Span<float> block) => Decode(codes, valueOf, absmax, block);

    /// <summary>w = value of the code · absmax, with the codebook that a checkpoint brings along.</summary>
    /// <param name="values">Sixteen values.</param>
    public static void Decode(ReadOnlySpan<byte> codes, ReadOnlySpan<float> values, float absmax, Span<float> block)
    {
        var at = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            var table = Vector512.Create(values) * absmax;
            for (; at <= codes.Length - Vector128<byte>.Count; at += Vector128<byte>.Count)
            {
                var (low, high) = Vector128.Widen(Vector128.Create(codes[at..]));
                var index = Vector512.Create(Widen(low), Widen(high));
                Vector512.Shuffle(table, index).CopyTo(block[at..]);
            }
        }
        for (; at < codes.Length; at++)
            block[at] = values[codes[at]] * absmax;
    }

    private static Vector256<int> Widen(Vector128<ushort> codes)
    {
        var (low, high) = Vector128.Widen(codes);
        return Vector256.Create(low, high).AsInt32();
    }

    private int RankOf(float value)
    {
        var rank = 0;
        foreach (var midpoint in midpoints)
            rank += value > midpoint ? 1 : 0;
        return rank;
    }
}
