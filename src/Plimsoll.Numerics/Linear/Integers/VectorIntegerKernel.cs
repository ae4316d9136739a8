using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>A vector of rows at a time: the codes of 32 columns stay in eight registers while four columns of inputs meet them.</summary>
internal sealed unsafe class IntegerKernel<TDot, TLanes, TShape, TCodes, TSums, TFloats> : IntegerKernel
    where TDot : struct, IDotLanes<TCodes, TSums, TFloats>
    where TLanes : struct, IFloatLanes<TFloats>
    where TShape : struct, ITileShape
{
    private const int Together = 4;

    public override bool TakesWords => TDot.TakesWords;

    private static int InputQuad => TDot.TakesWords ? 8 : 4;

    private static int InputCodes => InputQuad * (Panel.ChunkColumns / 4);

    private static int InputBytes => InputCodes + (8 + 16 + 8) * sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Multiply(CodeTile tile, int length, byte* inputs, int columns, float* sums)
    {
        var column = 0;
        for (; column + Together <= columns; column += Together)
        {
            for (var row = 0; row < Panel.Rows; row += TLanes.Count)
                Four(tile, row, length, inputs + (long)column * InputBytes, sums + column * Panel.Rows + row);
        }
        for (; column < columns; column++)
        {
            for (var row = 0; row < Panel.Rows; row += TLanes.Count)
                One(tile, row, length, inputs + (long)column * InputBytes, sums + column * Panel.Rows + row);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(CodeTile tile, int row, int length, byte* inputs, float* sums)
    {
        var s0 = TLanes.Load(sums);
        var s1 = TLanes.Load(sums + Panel.Rows);
        var s2 = TLanes.Load(sums + 2 * Panel.Rows);
        var s3 = TLanes.Load(sums + 3 * Panel.Rows);
        var codes = tile.Codes + row * 4;
        var scales = tile.Scales + row;
        var minimums = tile.Minimums + row;
        for (var group = 0; group < length / 32; group++)
        {
            var w0 = TDot.Load(codes);
            var w1 = TDot.Load(codes + CodeTile.QuadBytes);
            var w2 = TDot.Load(codes + 2 * CodeTile.QuadBytes);
            var w3 = TDot.Load(codes + 3 * CodeTile.QuadBytes);
            var w4 = TDot.Load(codes + 4 * CodeTile.QuadBytes);
            var w5 = TDot.Load(codes + 5 * CodeTile.QuadBytes);
            var w6 = TDot.Load(codes + 6 * CodeTile.QuadBytes);
            var w7 = TDot.Load(codes + 7 * CodeTile.QuadBytes);
            s0 = Group(w0, w1, w2, w3, w4, w5, w6, w7, scales, minimums, inputs, group, s0);
            s1 = Group(w0, w1, w2, w3, w4, w5, w6, w7, scales, minimums, inputs + InputBytes, group, s1);
            s2 = Group(w0, w1, w2, w3, w4, w5, w6, w7, scales, minimums, inputs + 2 * InputBytes, group, s2);
            s3 = Group(w0, w1, w2, w3, w4, w5, w6, w7, scales, minimums, inputs + 3 * InputBytes, group, s3);
            codes += 8 * CodeTile.QuadBytes;
            scales += 32 / TShape.GroupLength * Panel.Rows;
            minimums += 32 / TShape.GroupLength * Panel.Rows;
        }
        TLanes.Store(s0, sums);
        TLanes.Store(s1, sums + Panel.Rows);
        TLanes.Store(s2, sums + 2 * Panel.Rows);
        TLanes.Store(s3, sums + 3 * Panel.Rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void One(CodeTile tile, int row, int length, byte* inputs, float* sums)
    {
        var sum = TLanes.Load(sums);
        var codes = tile.Codes + row * 4;
        var scales = tile.Scales + row;
        var minimums = tile.Minimums + row;
        for (var group = 0; group < length / 32; group++)
        {
            sum = Group(
                TDot.Load(codes), TDot.Load(codes + CodeTile.QuadBytes), TDot.Load(codes + 2 * CodeTile.QuadBytes), TDot.Load(codes + 3 * CodeTile.QuadBytes),
                TDot.Load(codes + 4 * CodeTile.QuadBytes), TDot.Load(codes + 5 * CodeTile.QuadBytes), TDot.Load(codes + 6 * CodeTile.QuadBytes), TDot.Load(codes + 7 * CodeTile.QuadBytes),
                scales, minimums, inputs, group, sum);
            codes += 8 * CodeTile.QuadBytes;
            scales += 32 / TShape.GroupLength * Panel.Rows;
            minimums += 32 / TShape.GroupLength * Panel.Rows;
        }
        TLanes.Store(sum, sums);
    }

    /// <summary>One column of inputs and 32 columns of weights: one group, or two of 16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloats Group(
        TCodes w0, TCodes w1, TCodes w2, TCodes w3, TCodes w4, TCodes w5, TCodes w6, TCodes w7,
        float* scales, float* minimums, byte* inputs, int group, TFloats sum)
    {
        var quads = inputs + group * (8 * InputQuad);
        var floats = (float*)(inputs + InputCodes) + group;
        var inputScale = TLanes.Broadcast(floats[0]);
        if (TShape.GroupLength == 32)
        {
            var first = Quads(w0, w1, w2, w3, quads);
            var second = Quads(w4, w5, w6, w7, quads + 4 * InputQuad);
            var dot = TShape.Depth == 8 ? TDot.ToFloats(TDot.Add(first, second)) : TDot.ToFloats(first, second);
            var scale = TLanes.Load(scales);
            sum = TLanes.MultiplyAdd(dot, TLanes.Multiply(scale, inputScale), sum);
            if (TShape.HasMinimums)
                sum = TLanes.MultiplyAdd(TLanes.Load(minimums), TLanes.Broadcast(floats[24]), sum);
            if (TDot.Offset != 0)
                sum = TLanes.MultiplyAdd(TLanes.Multiply(scale, TLanes.Broadcast(TDot.Offset)), TLanes.Broadcast(floats[24]), sum);
            return sum;
        }
        sum = HalfGroup(w0, w1, w2, w3, TLanes.Load(scales), inputScale, minimums, floats + 8 + group, quads, sum);
        return HalfGroup(
            w4, w5, w6, w7, TLanes.Load(scales + Panel.Rows), inputScale, minimums + Panel.Rows, floats + 9 + group, quads + 4 * InputQuad, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloats HalfGroup(
        TCodes w0, TCodes w1, TCodes w2, TCodes w3, TFloats scale, TFloats inputScale, float* minimums, float* inputSum, byte* quads, TFloats sum)
    {
        var dot = TShape.Depth == 4
            ? TDot.ToFloats(Quads(w0, w1, w2, w3, quads))
            : TDot.ToFloats(
                TDot.MultiplyAdd(TDot.Multiply(w0, quads), w1, quads + InputQuad),
                TDot.MultiplyAdd(TDot.Multiply(w2, quads + 2 * InputQuad), w3, quads + 3 * InputQuad));
        sum = TLanes.MultiplyAdd(dot, TLanes.Multiply(scale, inputScale), sum);
        if (TShape.HasMinimums)
            sum = TLanes.MultiplyAdd(TLanes.Load(minimums), TLanes.Broadcast(*inputSum), sum);
        if (TDot.Offset != 0)
            sum = TLanes.MultiplyAdd(TLanes.Multiply(scale, TLanes.Broadcast(TDot.Offset)), TLanes.Broadcast(*inputSum), sum);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TSums Quads(TCodes w0, TCodes w1, TCodes w2, TCodes w3, byte* quads)
    {
        var sums = TDot.MultiplyAdd(TDot.Multiply(w0, quads), w1, quads + InputQuad);
        sums = TDot.MultiplyAdd(sums, w2, quads + 2 * InputQuad);
        return TDot.MultiplyAdd(sums, w3, quads + 3 * InputQuad);
    }
}
