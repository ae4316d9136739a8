using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Floats;

/// <summary>The product of one tile of floats with columns of inputs: sums[c][r] += Σ_k tile[k][r] · inputs[c][k].</summary>
internal abstract unsafe class FloatKernel
{
    public static FloatKernel For(SimdLevel level) => level switch
    {
        SimdLevel.Scalar => new ScalarFloatKernel(),
        SimdLevel.Neon => new FloatKernel<FloatLanes128, Vector128<float>>(),
        SimdLevel.Avx512 or SimdLevel.Avx512Vnni when Vector512.IsHardwareAccelerated => new FloatKernel<FloatLanes512, Vector512<float>>(),
        _ => new FloatKernel<FloatLanes256, Vector256<float>>(),
    };

    /// <param name="tile">(length, 16): 16 rows side by side.</param>
    /// <param name="inputs">(columns, stride), of which the first <paramref name="length"/> of each are used.</param>
    /// <param name="sums">(columns, 16).</param>
    public abstract void Multiply(float* tile, int length, float* inputs, long stride, int columns, float* sums);
}

internal sealed unsafe class ScalarFloatKernel : FloatKernel
{
    public override void Multiply(float* tile, int length, float* inputs, long stride, int columns, float* sums)
    {
        for (var column = 0; column < columns; column++)
        {
            for (var k = 0; k < length; k++)
            {
                for (var row = 0; row < Panel.Rows; row++)
                    sums[column * Panel.Rows + row] += tile[k * Panel.Rows + row] * inputs[column * stride + k];
            }
        }
    }
}

/// <summary>A vector of rows at a time: eight columns in eight registers, what is left over one by one.</summary>
internal sealed unsafe class FloatKernel<TLanes, TVector> : FloatKernel
    where TLanes : struct, IFloatLanes<TVector>
{
    private const int Together = 8;

    public override void Multiply(float* tile, int length, float* inputs, long stride, int columns, float* sums)
    {
        var column = 0;
        for (; column + Together <= columns; column += Together)
        {
            for (var row = 0; row < Panel.Rows; row += TLanes.Count)
                Eight(tile + row, length, inputs + column * stride, stride, sums + column * Panel.Rows + row);
        }
        for (; column < columns; column++)
        {
            for (var row = 0; row < Panel.Rows; row += TLanes.Count)
                One(tile + row, length, inputs + column * stride, sums + column * Panel.Rows + row);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Eight(float* tile, int length, float* x, long stride, float* sums)
    {
        var x4 = x + 4 * stride;
        var s0 = TLanes.Load(sums);
        var s1 = TLanes.Load(sums + Panel.Rows);
        var s2 = TLanes.Load(sums + 2 * Panel.Rows);
        var s3 = TLanes.Load(sums + 3 * Panel.Rows);
        var s4 = TLanes.Load(sums + 4 * Panel.Rows);
        var s5 = TLanes.Load(sums + 5 * Panel.Rows);
        var s6 = TLanes.Load(sums + 6 * Panel.Rows);
        var s7 = TLanes.Load(sums + 7 * Panel.Rows);
        for (var k = 0; k < length; k++)
        {
            var w = TLanes.Load(tile + (long)k * Panel.Rows);
            s0 = TLanes.MultiplyAdd(TLanes.Broadcast(x[k]), w, s0);
            s1 = TLanes.MultiplyAdd(TLanes.Broadcast(x[stride + k]), w, s1);
            s2 = TLanes.MultiplyAdd(TLanes.Broadcast(x[2 * stride + k]), w, s2);
            s3 = TLanes.MultiplyAdd(TLanes.Broadcast(x[3 * stride + k]), w, s3);
            s4 = TLanes.MultiplyAdd(TLanes.Broadcast(x4[k]), w, s4);
            s5 = TLanes.MultiplyAdd(TLanes.Broadcast(x4[stride + k]), w, s5);
            s6 = TLanes.MultiplyAdd(TLanes.Broadcast(x4[2 * stride + k]), w, s6);
            s7 = TLanes.MultiplyAdd(TLanes.Broadcast(x4[3 * stride + k]), w, s7);
        }
        TLanes.Store(s0, sums);
        TLanes.Store(s1, sums + Panel.Rows);
        TLanes.Store(s2, sums + 2 * Panel.Rows);
        TLanes.Store(s3, sums + 3 * Panel.Rows);
        TLanes.Store(s4, sums + 4 * Panel.Rows);
        TLanes.Store(s5, sums + 5 * Panel.Rows);
        TLanes.Store(s6, sums + 6 * Panel.Rows);
        TLanes.Store(s7, sums + 7 * Panel.Rows);
    }

    /// <summary>Four sums in turn hide the latency of the multiply-add.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void One(float* tile, int length, float* x, float* sums)
    {
        var s0 = TLanes.Load(sums);
        var s1 = TLanes.Zero;
        var s2 = TLanes.Zero;
        var s3 = TLanes.Zero;
        var k = 0;
        for (; k + 4 <= length; k += 4)
        {
            s0 = TLanes.MultiplyAdd(TLanes.Broadcast(x[k]), TLanes.Load(tile), s0);
            s1 = TLanes.MultiplyAdd(TLanes.Broadcast(x[k + 1]), TLanes.Load(tile + Panel.Rows), s1);
            s2 = TLanes.MultiplyAdd(TLanes.Broadcast(x[k + 2]), TLanes.Load(tile + 2 * Panel.Rows), s2);
            s3 = TLanes.MultiplyAdd(TLanes.Broadcast(x[k + 3]), TLanes.Load(tile + 3 * Panel.Rows), s3);
            tile += 4 * Panel.Rows;
        }
        for (; k < length; k++, tile += Panel.Rows)
            s0 = TLanes.MultiplyAdd(TLanes.Broadcast(x[k]), TLanes.Load(tile), s0);
        TLanes.Store(TLanes.Add(TLanes.Add(s0, s1), TLanes.Add(s2, s3)), sums);
    }
}
