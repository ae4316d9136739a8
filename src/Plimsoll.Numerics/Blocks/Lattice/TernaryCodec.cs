using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>A format of ternary lattice points that are shifted by δ = ±1/8: IQ1_S and IQ1_M.</summary>
/// <remarks>
/// In a sub-block the best cut of the sorted weights into three levels is found among all, then each group of eight that is no point of the lattice takes
/// the nearest. The two kinds of <see cref="BlockSearch"/> are the same here.
/// </remarks>
/// <param name="subLength">Weights that share a scale.</param>
/// <param name="smallestMagnitude">A sub-block whose largest magnitude is smaller counts as zero.</param>
internal abstract unsafe class TernaryCodec<T>(string name, int subLength, float smallestMagnitude) : BlockCodec, ISignedCodes where T : unmanaged, ICodeLanes<T>
{
    /// <summary>IQ1S_DELTA and IQ1M_DELTA of ggml-common.h.</summary>
    protected const float Delta = 0.125f;

    protected const int Length = TernaryWork.Length;
    private const int GroupLength = 8;

    public sealed override NumberFormat Format { get; } = NumberFormats.Find(name)!;

    public abstract void Read(ReadOnlySpan<byte> block, Span<ulong> codes, Span<float> scales);

    /// <summary>The sums of a sub-block, and its best split.</summary>
    /// <param name="x">The sub-block.</param>
    protected abstract TernarySplit Split(float* x, float* w, TernaryWork* work);

    /// <summary>The shifts of the two halves of a sub-block by the variant of the split.</summary>
    protected abstract byte ShiftsOf(int variant);

    protected abstract void Write(float* x, TernaryWork* work, Span<byte> block);

    [SkipLocalsInit]
    protected sealed override void EncodeRows(ReadOnlySpan<float> values, int rowLength, Span<byte> blocks, ReadOnlySpan<float> importance, BlockSearch search)
    {
        TernaryWork work;
        fixed (float* source = values)
        fixed (float* columns = importance)
        {
            for (var start = 0; start < values.Length; start += Length, blocks = blocks[Format.BlockBytes..])
            {
                var x = source + start;
                (&work)->FillWeights<T>(x, columns == null ? null : columns + start % rowLength);
                for (var first = 0; first < Length; first += subLength)
                    (&work)->Scales[first / subLength] = EncodeSubBlock(x, first, &work);
                blocks[..Format.BlockBytes].Clear();
                Write(x, &work, blocks[..Format.BlockBytes]);
            }
        }
    }

    /// <summary>The level −1, 0 or 1 shifted by +δ or −δ.</summary>
    protected static float Shifted(int level, bool isDown) => level - 1 + (isDown ? -Delta : Delta);

    /// <summary>Bit 1 of the shifts counts for the first half of a sub-block, bit 0 for the second.</summary>
    protected static bool IsDown(byte shifts, int group, int groups) => (shifts >> (group < groups / 2 ? 1 : 0) & 1) != 0;

    private float EncodeSubBlock(float* values, int first, TernaryWork* work)
    {
        var (j, groups, firstGroup) = (first / subLength, subLength / GroupLength, first / GroupLength);
        var x = values + first;
        work->Shifts[j] = 0;
        new Span<ushort>(work->Indices + firstGroup, groups).Clear();
        if (BlockRange.Magnitude<T>(in *x, subLength) < smallestMagnitude)
            return 0;
        TernaryWork.Sort<T>(x, subLength, work->Order);
        var split = Split(x, work->W + first, work);
        if (split.Second < 0)
            return 0;

        for (var i = 0; i < subLength; i++)
        {
            var level = (i < split.First ? 0 : 1) + (i < split.Second ? 0 : 1);
            work->Levels[work->Order[i]] = (byte)(split.Scale < 0 ? 2 - level : level);
        }
        var shifts = ShiftsOf(split.Variant);
        work->Shifts[j] = split.Scale < 0 ? (byte)(~shifts & 3) : shifts;
        return MoveToLattice(x, work->W + first, firstGroup, work->Shifts[j], MathF.Abs(split.Scale), work);
    }

    /// <summary>The indices of the groups, and the scale that is best for them.</summary>
    private float MoveToLattice(float* x, float* w, int firstGroup, byte shifts, float scale, TernaryWork* work)
    {
        var lattice = Lattice.Iq1;
        var groups = subLength / GroupLength;
        var areAllPoints = true;
        for (var group = 0; group < groups; group++)
        {
            var code = 0;
            for (var i = 0; i < GroupLength; i++)
                code |= work->Levels[GroupLength * group + i] << 2 * i;
            if (lattice.IndexOf[code] < 0)
            {
                areAllPoints = false;
                code = Nearest(lattice, code, x + GroupLength * group, w + GroupLength * group, IsDown(shifts, group, groups), scale, work);
            }
            work->Indices[firstGroup + group] = (ushort)lattice.IndexOf[code];
        }
        if (areAllPoints)
            return scale;
        var (sumQX, sumQ2) = (0f, 0f);
        for (var i = 0; i < subLength; i++)
        {
            var group = i / GroupLength;
            var code = lattice.Points[work->Indices[firstGroup + group]];
            var q = Shifted(code >> i % GroupLength * 2 & 3, IsDown(shifts, group, groups));
            sumQX += w[i] * q * x[i];
            sumQ2 += w[i] * q * q;
        }
        return sumQX > 0 && sumQ2 > 0 ? sumQX / sumQ2 : scale;
    }

    private static ushort Nearest(Lattice lattice, int code, float* x, float* w, bool isDown, float scale, TernaryWork* work)
    {
        for (var i = 0; i < GroupLength; i++)
        {
            Vector128.Create(Shifted(0, isDown), Shifted(1, isDown), Shifted(2, isDown), 0).Store(work->LevelTable + 4 * i);
            Vector128.Create(x[i]).Store(work->X + 4 * i);
            Vector128.Create(w[i]).Store(work->Weights + 4 * i);
        }
        NearestPoint.Errors<T>(scale, work->LevelTable, work->X, work->Weights, work->Errors);
        var points = lattice.Neighbourhoods.Around(code, out var count);
        return NearestPoint.Find<T, EightCells>(points, count, work->Errors);
    }
}
