using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;
using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>IQ1_S: FP16 scale; the low eight bits of the indices; for each 32 weights four times three high bits, a 3-bit scale and the sign of the shift.</summary>
/// <remarks>Order of operations: <c>quantize_row_iq1_s_impl</c> of ggml-quants.c.</remarks>
internal sealed unsafe class IQ1_S<T>() : TernaryCodec<T>("IQ1_S", SubLength, 1e-12f) where T : unmanaged, ICodeLanes<T>
{
    private const int SubLength = 32;
    private const int SubBlocks = Length / SubLength;
    private const int Groups = SubLength / 8;
    private const int HighestScale = 7;
    private const int LowBitsAt = 2;
    private const int HighBitsAt = 34;

    /// <summary>What the super-block's scale is multiplied with before it is stored.</summary>
    private const float ScaleFactor = 1.125f;

    public override ImportanceUse Importance => ImportanceUse.Required;

    protected override byte ShiftsOf(int variant) => variant == 0 ? (byte)0 : (byte)3;

    [SkipLocalsInit]
    protected override TernarySplit Split(float* x, float* w, TernaryWork* work)
    {
        var sx = work->SumsX;
        var sw = work->SumsW;
        (sx[0], sw[0]) = (0, 0);
        for (var i = 0; i < SubLength; i++)
        {
            var element = work->Order[i];
            sx[i + 1] = sx[i] + w[element] * x[element];
            sw[i + 1] = sw[i] + w[element];
        }
        var split = new TernarySplit();
        var (allX, allW, best) = (T.Create(sx[SubLength]), T.Create(sw[SubLength]), T.Create(split.Score));
        var (lowUp, middleUp, highUp) = (T.Create(Shifted(0, false)), T.Create(Shifted(1, false)), T.Create(Shifted(2, false)));
        var (lowDown, middleDown, highDown) = (T.Create(Shifted(0, true)), T.Create(Shifted(1, true)), T.Create(Shifted(2, true)));
        for (var first = 0; first <= SubLength; first++)
        {
            var (belowX, belowW) = (T.Create(sx[first]), T.Create(sw[first]));
            var (lowXUp, lowXDown) = (belowX * lowUp, belowX * lowDown);
            var (lowWUp, lowWDown) = (belowW * lowUp * lowUp, belowW * lowDown * lowDown);
            for (var second = first; second <= SubLength; second += T.Count)
            {
                var (nextX, nextW) = (*(T*)(sx + second), *(T*)(sw + second));
                var (middleX, middleW, highX, highW) = (nextX - belowX, nextW - belowW, allX - nextX, allW - nextW);
                var qxUp = lowXUp + middleX * middleUp + highX * highUp;
                var q2Up = lowWUp + middleW * middleUp * middleUp + highW * highUp * highUp;
                var qxDown = lowXDown + middleX * middleDown + highX * highDown;
                var q2Down = lowWDown + middleW * middleDown * middleDown + highW * highDown * highDown;
                var better = T.Bits(TernarySplit.IsBetter(best, qxUp, q2Up) | TernarySplit.IsBetter(best, qxDown, q2Down))
                    & TernarySplit.LanesOf<T>(second, SubLength);
                if (better == 0)
                    continue;
                split.Take(better, [qxUp, qxDown], [q2Up, q2Down], first, second);
                best = T.Create(split.Score);
            }
        }
        return split;
    }

    protected override void Write(float* x, TernaryWork* work, Span<byte> block)
    {
        var largest = 0f;
        for (var j = 0; j < SubBlocks; j++)
            largest = Math.Max(largest, work->Scales[j]);
        var scale = largest / (2 * HighestScale + 1);
        if (largest != 0)
            BinaryPrimitives.WriteUInt16LittleEndian(block, Fp16.FromSingle(scale * ScaleFactor));
        for (var j = 0; j < SubBlocks; j++)
        {
            var packed = 0;
            for (var group = 0; group < Groups; group++)
            {
                var index = work->Indices[Groups * j + group];
                block[LowBitsAt + Groups * j + group] = (byte)index;
                packed |= index >> 8 << 3 * group;
            }
            if (largest != 0)
                packed |= Math.Clamp(Rounding.NearestInt(0.5f * (1 / scale * work->Scales[j] - 1)), 0, HighestScale) << 12 | (work->Shifts[j] & 1) << 15;
            BinaryPrimitives.WriteUInt16LittleEndian(block[(HighBitsAt + 2 * j)..], (ushort)packed);
        }
    }

    [SkipLocalsInit]
    protected override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        Span<ulong> codes = stackalloc ulong[Length / 8];
        Span<float> scales = stackalloc float[2 * SubBlocks];
        for (; !values.IsEmpty; values = values[Length..], blocks = blocks[Format.BlockBytes..])
        {
            Read(blocks, codes, scales);
            for (var j = 0; j < SubBlocks; j++)
                SignedBytes.Scale<T>(MemoryMarshal.Cast<ulong, sbyte>(codes).Slice(j * SubLength, SubLength), scales[2 * j], 0, values.Slice(j * SubLength, SubLength));
        }
    }

    public override void Read(ReadOnlySpan<byte> block, Span<ulong> codes, Span<float> scales)
    {
        var scale = Fp16.ToSingle(BinaryPrimitives.ReadUInt16LittleEndian(block));
        for (var j = 0; j < SubBlocks; j++)
        {
            var packed = BinaryPrimitives.ReadUInt16LittleEndian(block[(HighBitsAt + 2 * j)..]);
            for (var group = 0; group < Groups; group++)
                codes[Groups * j + group] = ShiftedPoints.At(block[LowBitsAt + Groups * j + group] | (packed >> 3 * group & 7) << 8, (packed & 0x8000) != 0);
            scales[2 * j] = scales[2 * j + 1] = scale * (2 * (packed >> 12 & 7) + 1) * ShiftedPoints.Unit;
        }
    }
}
