using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>IQ1_M: the low eight bits of the indices; for each two groups of eight their three high bits and the sign of their shifts; 3-bit scales of 16 weights.</summary>
/// <remarks>
/// Four scales lie in the low bits of each of four 16-bit words, whose high four bits together are the FP16 scale of the super-block. Order of operations:
/// <c>quantize_row_iq1_m_impl</c> of ggml-quants.c.
/// </remarks>
internal sealed unsafe class IQ1_M<T>() : TernaryCodec<T>("IQ1_M", SubLength, 1e-7f) where T : unmanaged, ICodeLanes<T>
{
    private const int SubLength = 16;
    private const int SubBlocks = Length / SubLength;
    private const int Groups = 2;
    private const int HighestScale = 7;
    private const int HighBitsAt = 32;
    private const int ScalesAt = 48;

    /// <summary>What the super-block's scale is multiplied with before it is stored.</summary>
    private const float ScaleFactor = 1.1125f;

    /// <summary>The variants go through the shifts of the first and the second half in this order: ++, +−, −+, −−.</summary>
    protected override byte ShiftsOf(int variant) => (byte)variant;

    [SkipLocalsInit]
    protected override TernarySplit Split(float* x, float* w, TernaryWork* work)
    {
        var (head, tail) = (new HalfSums(work, 0), new HalfSums(work, 1));
        for (var i = 0; i < SubLength; i++)
        {
            var element = work->Order[i];
            var (ofHead, ofTail) = element < SubLength / 2 ? (w[element], 0f) : (0f, w[element]);
            head.Add(i, ofHead, x[element]);
            tail.Add(i, ofTail, x[element]);
        }
        var split = new TernarySplit();
        var best = T.Create(split.Score);
        for (var first = 0; first <= SubLength; first++)
        {
            head.Cut(first);
            tail.Cut(first);
            for (var second = first; second <= SubLength; second += T.Count)
            {
                var (headXUp, headXDown, headWUp, headWDown) = head.At(second);
                var (tailXUp, tailXDown, tailWUp, tailWDown) = tail.At(second);
                var (qx0, qx1, qx2, qx3) = (headXUp + tailXUp, headXUp + tailXDown, headXDown + tailXUp, headXDown + tailXDown);
                var (q0, q1, q2, q3) = (headWUp + tailWUp, headWUp + tailWDown, headWDown + tailWUp, headWDown + tailWDown);
                var isBetter = TernarySplit.IsBetter(best, qx0, q0) | TernarySplit.IsBetter(best, qx1, q1)
                    | TernarySplit.IsBetter(best, qx2, q2) | TernarySplit.IsBetter(best, qx3, q3);
                var better = T.Bits(isBetter) & TernarySplit.LanesOf<T>(second, SubLength);
                if (better == 0)
                    continue;
                split.Take(better, [qx0, qx1, qx2, qx3], [q0, q1, q2, q3], first, second);
                best = T.Create(split.Score);
            }
        }
        return split;
    }

    /// <summary>Sums over one half of a sub-block, which has its own shift, by the position of the cuts.</summary>
    /// <remarks>Neighbouring levels differ by 1, so Σ w·q·x is the highest level times Σ w·x less the sums below the cuts; so the squares.</remarks>
    private struct HalfSums(TernaryWork* work, int half)
    {
        private readonly float* x = work->SumsX + half * TernaryWork.MostSums;
        private readonly float* w = work->SumsW + half * TernaryWork.MostSums;
        private T belowX;
        private T allUp, allDown;
        private T squaresUp, squaresDown;

        /// <summary>The square of the middle level less that of the high one.</summary>
        private static float StepUp => Square(1, false) - Square(2, false);

        private static float StepDown => Square(1, true) - Square(2, true);

        /// <summary>Adds element i by rising value; one of the other half with the weight zero.</summary>
        public readonly void Add(int i, float weight, float value)
        {
            if (i == 0)
                (x[0], w[0]) = (0, 0);
            x[i + 1] = weight == 0 ? x[i] : x[i] + weight * value;
            w[i + 1] = w[i] + weight;
        }

        /// <summary>Moves the first cut.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Cut(int first)
        {
            var (up, down) = (Shifted(2, false), Shifted(2, true));
            belowX = T.Create(x[first]);
            (allUp, allDown) = (T.Create(x[SubLength] * up), T.Create(x[SubLength] * down));
            squaresUp = T.Create(w[SubLength] * up * up + w[first] * (Square(0, false) - Square(1, false)));
            squaresDown = T.Create(w[SubLength] * down * down + w[first] * (Square(0, true) - Square(1, true)));
        }

        /// <summary>Σ w·q·x and Σ w·q² with either shift and the second cuts from a position on.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly (T QXUp, T QXDown, T Q2Up, T Q2Down) At(int second)
        {
            var below = belowX + *(T*)(x + second);
            var next = *(T*)(w + second);
            return (allUp - below, allDown - below, squaresUp + next * T.Create(StepUp), squaresDown + next * T.Create(StepDown));
        }

        private static float Square(int level, bool isDown) => Shifted(level, isDown) * Shifted(level, isDown);
    }

    protected override void Write(float* x, TernaryWork* work, Span<byte> block)
    {
        var largest = 0f;
        for (var j = 0; j < SubBlocks; j++)
        {
            var (first, second) = (work->Indices[Groups * j], work->Indices[Groups * j + 1]);
            block[Groups * j] = (byte)first;
            block[Groups * j + 1] = (byte)second;
            block[HighBitsAt + j] = (byte)(first >> 8 | second >> 8 << 4);
            largest = Math.Max(largest, work->Scales[j]);
        }
        if (largest == 0)
            return;
        var scale = largest / (2 * HighestScale + 1);
        var (sumQX, sumQ2) = (0f, 0f);
        Span<ushort> words = stackalloc ushort[4];
        words.Clear();
        for (var j = 0; j < SubBlocks; j++)
        {
            var code = Math.Clamp(Rounding.NearestInt(0.5f * (1 / scale * work->Scales[j] - 1)), 0, HighestScale);
            words[j / 4] |= (ushort)(code << 3 * (j % 4));
            block[HighBitsAt + j] |= (byte)((work->Shifts[j] & 2) << 2 | (work->Shifts[j] & 1) << 7);
            for (var i = j * SubLength; i < (j + 1) * SubLength; i++)
            {
                var level = Lattice.Iq1.Points[work->Indices[i / 8]] >> i % 8 * 2 & 3;
                var q = Shifted(level, IsDown(work->Shifts[j], i / 8 % Groups, Groups)) * (2 * code + 1);
                sumQX += work->W[i] * q * x[i];
                sumQ2 += work->W[i] * q * q;
            }
        }
        if (sumQ2 > 0)
            scale = sumQX / sumQ2;
        var stored = Fp16.FromSingle(scale * ScaleFactor);
        for (var word = 0; word < words.Length; word++)
            BinaryPrimitives.WriteUInt16LittleEndian(block[(ScalesAt + 2 * word)..], (ushort)(words[word] | (stored >> 4 * word & 15) << 12));
    }

    protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<ulong> codes = stackalloc ulong[Length / 8];
        Span<float> scales = stackalloc float[SubBlocks];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[Format.BlockBytes..])
        {
            Read(blocks, codes, scales);
            for (var j = 0; j < SubBlocks; j++)
                SignedBytes.Scale<T>(MemoryMarshal.Cast<ulong, sbyte>(codes).Slice(j * SubLength, SubLength), scales[j], 0, values.Slice(j * SubLength, SubLength));
        }
    }

    public override void Read(ReadOnlySpan<byte> block, Span<ulong> codes, Span<float> scales)
    {
        var stored = 0;
        for (var word = 0; word < 4; word++)
            stored |= block[ScalesAt + 2 * word + 1] >> 4 << 4 * word;
        var scale = Fp16.ToSingle((ushort)stored);
        for (var j = 0; j < SubBlocks; j++)
        {
            var code = BinaryPrimitives.ReadUInt16LittleEndian(block[(ScalesAt + j / 4 * 2)..]) >> 3 * (j % 4) & 7;
            var packed = block[HighBitsAt + j];
            codes[2 * j] = ShiftedPoints.At(block[2 * j] | (packed & 7) << 8, (packed & 8) != 0);
            codes[2 * j + 1] = ShiftedPoints.At(block[2 * j + 1] | (packed >> 4 & 7) << 8, (packed & 128) != 0);
            scales[j] = scale * (2 * code + 1) * ShiftedPoints.Unit;
        }
    }
}
