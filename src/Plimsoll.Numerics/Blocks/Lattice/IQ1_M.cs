using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Blocks.Lanes;
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
        var sx = stackalloc float*[2];
        var sw = stackalloc float*[2];
        for (var half = 0; half < 2; half++)
        {
            sx[half] = work->SumsX + half * TernaryWork.MostSums;
            sw[half] = work->SumsW + half * TernaryWork.MostSums;
            (sx[half][0], sw[half][0]) = (0, 0);
        }
        for (var i = 0; i < SubLength; i++)
        {
            var element = work->Order[i];
            var half = element / 8;
            sx[half][i + 1] = sx[half][i] + w[element] * x[element];
            sw[half][i + 1] = sw[half][i] + w[element];
            sx[1 - half][i + 1] = sx[1 - half][i];
            sw[1 - half][i + 1] = sw[1 - half][i];
        }
        var split = new TernarySplit();
        var halfQX = stackalloc T[4];
        var halfQ2 = stackalloc T[4];
        var sumsQX = stackalloc T[4];
        var sumsQ2 = stackalloc T[4];
        for (var first = 0; first <= SubLength; first++)
        {
            for (var second = first; second <= SubLength; second += T.Count)
            {
                for (var half = 0; half < 2; half++)
                {
                    var belowX = T.Create(sx[half][first]) + *(T*)(sx[half] + second);
                    var (belowW, nextW) = (T.Create(sw[half][first]), *(T*)(sw[half] + second));
                    for (var isDown = 0; isDown < 2; isDown++)
                    {
                        // Neighbouring levels differ by 1, so Σ w·q·x = high · Σ w·x less the sums below the cuts; so the squares.
                        var (low, middle, high) = (Shifted(0, isDown == 1), Shifted(1, isDown == 1), Shifted(2, isDown == 1));
                        halfQX[2 * half + isDown] = T.Create(sx[half][SubLength] * high) - belowX;
                        halfQ2[2 * half + isDown] = T.Create(sw[half][SubLength] * high * high)
                            + belowW * T.Create(low * low - middle * middle) + nextW * T.Create(middle * middle - high * high);
                    }
                }
                for (var variant = 0; variant < 4; variant++)
                {
                    sumsQX[variant] = halfQX[variant >> 1] + halfQX[2 + (variant & 1)];
                    sumsQ2[variant] = halfQ2[variant >> 1] + halfQ2[2 + (variant & 1)];
                }
                split.Offer(sumsQX, sumsQ2, 4, first, second, Math.Min(T.Count, SubLength + 1 - second));
            }
        }
        return split;
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
        var points = Lattice.Iq1.Values;
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[Format.BlockBytes..])
        {
            var stored = 0;
            for (var word = 0; word < 4; word++)
                stored |= blocks[ScalesAt + 2 * word + 1] >> 4 << 4 * word;
            var scale = Fp16.ToSingle((ushort)stored);
            for (var group = 0; group < Length / 8; group++)
            {
                var j = group / Groups;
                var code = BinaryPrimitives.ReadUInt16LittleEndian(blocks[(ScalesAt + j / 4 * 2)..]) >> 3 * (j % 4) & 7;
                var packed = blocks[HighBitsAt + j] >> 4 * (group % Groups);
                var index = blocks[group] | (packed & 7) << 8;
                var (subScale, delta) = (scale * (2 * code + 1), (packed & 8) != 0 ? -Delta : Delta);
                for (var i = 0; i < 8; i++)
                    values[8 * group + i] = subScale * (points[8 * index + i] + delta);
            }
        }
    }
}
