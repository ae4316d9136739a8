using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>A vector of rows at a time. Many columns of inputs meet codes that were unpacked once, four columns for each load; a single one meets codes straight
/// from their planes.</summary>
internal sealed unsafe class IntegerKernel<TDot, TLanes, TLayout, TCodes, TSums, TFloats> : IntegerKernel
    where TDot : struct, IDotLanes<TCodes, TSums, TFloats>
    where TLanes : struct, IFloatLanes<TFloats>
    where TLayout : struct, ICodeLayout
{
    private const int Together = 4;
    private const int Quad = CodeTile.QuadBytes;

    public override bool TakesWords => TDot.TakesWords;

    public override float SumFactor => TLayout.HasMinimums ? 1 : TLayout.Centre + TDot.Offset;

    /// <summary>Bytes of the inputs of a quad.</summary>
    private static int InputQuad
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TDot.TakesWords ? 8 : 4;
    }

    private static int InputCodes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => InputQuad * (Panel.ChunkColumns / 4);
    }

    private static int InputBytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => InputCodes + InputBlocks.Floats * sizeof(float);
    }

    public override void Multiply(in CodeTile tile, int length, byte* inputs, int columns, float* sums)
    {
        var column = 0;
        if (columns >= Together)
        {
            var codes = TLayout.LowBits == 8 ? tile.Planes : tile.Codes;
            if (TLayout.LowBits < 8)
                Unpack(tile.Planes, length / 32, codes);
            for (; column + Together <= columns; column += Together)
            {
                for (var row = 0; row < Panel.Rows; row += TLanes.Count)
                    Four(tile, codes, row, length, inputs + (long)column * InputBytes, sums + column * Panel.Rows + row);
            }
        }
        for (; column < columns; column++)
        {
            for (var row = 0; row < Panel.Rows; row += TLanes.Count)
                One(tile, row, length, inputs + (long)column * InputBytes, sums + column * Panel.Rows + row);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Unpack(byte* planes, int groups, byte* codes)
    {
        for (var group = 0; group < groups; group++)
        {
            for (var row = 0; row < Panel.Rows; row += TLanes.Count)
            {
                var source = planes + row * 4;
                var target = codes + row * 4;
                TDot.Store(Codes(source, 0), target);
                TDot.Store(Codes(source, 1), target + Quad);
                TDot.Store(Codes(source, 2), target + 2 * Quad);
                TDot.Store(Codes(source, 3), target + 3 * Quad);
                TDot.Store(Codes(source, 4), target + 4 * Quad);
                TDot.Store(Codes(source, 5), target + 5 * Quad);
                TDot.Store(Codes(source, 6), target + 6 * Quad);
                TDot.Store(Codes(source, 7), target + 7 * Quad);
            }
            planes += (TLayout.LowBits + TLayout.HighBits) * Quad;
            codes += 8 * Quad;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Four(in CodeTile tile, byte* codes, int row, int length, byte* inputs, float* sums)
    {
        var s0 = TLanes.Load(sums);
        var s1 = TLanes.Load(sums + Panel.Rows);
        var s2 = TLanes.Load(sums + 2 * Panel.Rows);
        var s3 = TLanes.Load(sums + 3 * Panel.Rows);
        codes += row * 4;
        var scales = tile.Scales + row;
        var minimums = tile.Minimums + row;
        var floats = (float*)(inputs + InputCodes);
        for (var group = 0; group < length / 32; group++)
        {
            var w0 = TDot.Load(codes);
            var w1 = TDot.Load(codes + Quad);
            var w2 = TDot.Load(codes + 2 * Quad);
            var w3 = TDot.Load(codes + 3 * Quad);
            var w4 = TDot.Load(codes + 4 * Quad);
            var w5 = TDot.Load(codes + 5 * Quad);
            var w6 = TDot.Load(codes + 6 * Quad);
            var w7 = TDot.Load(codes + 7 * Quad);
            s0 = Group(w0, w1, w2, w3, w4, w5, w6, w7, scales, minimums, inputs, floats, group, s0);
            s1 = Group(w0, w1, w2, w3, w4, w5, w6, w7, scales, minimums, inputs + InputBytes, floats + InputBytes / 4, group, s1);
            s2 = Group(w0, w1, w2, w3, w4, w5, w6, w7, scales, minimums, inputs + 2 * InputBytes, floats + 2 * InputBytes / 4, group, s2);
            s3 = Group(w0, w1, w2, w3, w4, w5, w6, w7, scales, minimums, inputs + 3 * InputBytes, floats + 3 * InputBytes / 4, group, s3);
            codes += 8 * Quad;
            inputs += 8 * InputQuad;
            scales += 32 / TLayout.GroupLength * Panel.Rows;
            minimums += 32 / TLayout.GroupLength * Panel.Rows;
        }
        TLanes.Store(s0, sums);
        TLanes.Store(s1, sums + Panel.Rows);
        TLanes.Store(s2, sums + 2 * Panel.Rows);
        TLanes.Store(s3, sums + 3 * Panel.Rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void One(in CodeTile tile, int row, int length, byte* inputs, float* sums)
    {
        var sum = TLanes.Load(sums);
        var planes = tile.Planes + row * 4;
        var scales = tile.Scales + row;
        var minimums = tile.Minimums + row;
        var floats = (float*)(inputs + InputCodes);
        for (var group = 0; group < length / 32; group++)
        {
            sum = Group(
                Codes(planes, 0), Codes(planes, 1), Codes(planes, 2), Codes(planes, 3), Codes(planes, 4), Codes(planes, 5), Codes(planes, 6), Codes(planes, 7),
                scales, minimums, inputs, floats, group, sum);
            planes += (TLayout.LowBits + TLayout.HighBits) * Quad;
            inputs += 8 * InputQuad;
            scales += 32 / TLayout.GroupLength * Panel.Rows;
            minimums += 32 / TLayout.GroupLength * Panel.Rows;
        }
        TLanes.Store(sum, sums);
    }

    /// <summary>The codes of one quad, from their planes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TCodes Codes(byte* planes, int quad)
    {
        if (TLayout.LowBits == 8)
            return TDot.Load(planes + quad * Quad);
        var codes = TDot.LoadField(planes + quad % TLayout.LowBits * Quad, quad / TLayout.LowBits * TLayout.LowBits, (byte)((1 << TLayout.LowBits) - 1));
        if (TLayout.HighBits > 0)
        {
            var high = planes + (TLayout.LowBits + quad % HighPlane) * Quad;
            codes = TDot.AddField(codes, high, quad / HighPlane * HighPlane - TLayout.LowBits, (byte)(((1 << TLayout.HighBits) - 1) << TLayout.LowBits));
        }
        return TLayout.HasTable ? TDot.Lookup(TLayout.Table, codes) : codes;
    }

    /// <summary>Bits of the second plane, or 1 where there is none, so that it divides.</summary>
    private static int HighPlane
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TLayout.HighBits > 0 ? TLayout.HighBits : 1;
    }

    /// <summary>One column of inputs and 32 columns of weights: one group, or two of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloats Group(
        TCodes w0, TCodes w1, TCodes w2, TCodes w3, TCodes w4, TCodes w5, TCodes w6, TCodes w7,
        float* scales, float* minimums, byte* quads, float* floats, int group, TFloats sum)
    {
        var inputScale = TLanes.Broadcast(floats[group]);
        if (TLayout.GroupLength == 32)
        {
            var first = TDot.Four(w0, w1, w2, w3, quads);
            var second = TDot.Four(w4, w5, w6, w7, quads + 4 * InputQuad);
            var dot = TLayout.Depth == 8 ? TDot.ToFloats(TDot.Add(first, second)) : TDot.ToFloats(first, second);
            return Accumulate(dot, TLanes.Load(scales), inputScale, minimums, floats + InputBlocks.SumsOf32 + group, sum);
        }
        sum = Accumulate(Half(w0, w1, w2, w3, quads), TLanes.Load(scales), inputScale, minimums, floats + InputBlocks.SumsOf16 + 2 * group, sum);
        return Accumulate(
            Half(w4, w5, w6, w7, quads + 4 * InputQuad), TLanes.Load(scales + Panel.Rows), inputScale, minimums + Panel.Rows, floats + InputBlocks.SumsOf16 + 2 * group + 1, sum);
    }

    /// <summary>Σ code · input of 16 columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloats Half(TCodes w0, TCodes w1, TCodes w2, TCodes w3, byte* quads) => TLayout.Depth >= 4
        ? TDot.ToFloats(TDot.Four(w0, w1, w2, w3, quads))
        : TDot.ToFloats(TDot.Two(w0, w1, quads), TDot.Two(w2, w3, quads + 2 * InputQuad));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloats Accumulate(TFloats dot, TFloats scale, TFloats inputScale, float* minimums, float* inputSum, TFloats sum)
    {
        if (!TLayout.HasMinimums && TLayout.Centre + TDot.Offset != 0)
            return TLanes.MultiplyAdd(TLanes.MultiplyAdd(dot, inputScale, TLanes.Broadcast(*inputSum)), scale, sum);
        sum = TLanes.MultiplyAdd(dot, TLanes.Multiply(scale, inputScale), sum);
        if (!TLayout.HasMinimums)
            return sum;
        var minimum = TLanes.Load(minimums);
        if (TDot.Offset != 0)
            minimum = TLanes.MultiplyAdd(scale, TLanes.Broadcast(TDot.Offset), minimum);
        return TLanes.MultiplyAdd(minimum, TLanes.Broadcast(*inputSum), sum);
    }
}
