using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Linear.MachineCode;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>The product of a tile of codes with quantized inputs:
/// sums[c][r] += Σ_groups scale[g][r] · d[c][g] · (Σ_k code[r][k] · q[c][k]) − minimum[g][r] · d[c][g] · Σ_k q[c][k].</summary>
internal abstract unsafe class IntegerKernel
{
    /// <summary>Whether it takes the codes of inputs as 16-bit numbers.</summary>
    public abstract bool TakesWords { get; }

    /// <summary>What the sums of inputs are multiplied by when they are quantized: 1 for minimums, else the code that stands for 0.</summary>
    public abstract float SumFactor { get; }

    /// <param name="length">Columns of the tile: a multiple of 32.</param>
    /// <param name="inputs">The blocks of <paramref name="columns"/> columns of inputs, one after the other.</param>
    /// <param name="sums">(columns, 16).</param>
    public abstract void Multiply(in CodeTile tile, int length, byte* inputs, int columns, float* sums);

    public static IntegerKernel For<TLayout>(SimdLevel level) where TLayout : struct, ICodeLayout => (level, TLayout.IsSigned) switch
    {
        (SimdLevel.Avx512Vnni, _) => new VnniKernel<TLayout>(),
        (SimdLevel.Avx512, false) => new IntegerKernel<UnsignedDot512, FloatLanes512, TLayout, Vector512<byte>, Vector512<short>, Vector512<float>>(),
        (SimdLevel.Avx512, true) => new IntegerKernel<SignedDot512, FloatLanes512, TLayout, Vector512<byte>, Vector512<int>, Vector512<float>>(),
        (SimdLevel.AvxVnni, false) => new IntegerKernel<UnsignedDotVnni, FloatLanes256, TLayout, Vector256<byte>, Vector256<int>, Vector256<float>>(),
        (SimdLevel.AvxVnni, true) => new IntegerKernel<SignedDotVnni, FloatLanes256, TLayout, Vector256<byte>, Vector256<int>, Vector256<float>>(),
        (SimdLevel.Avx2, false) => new IntegerKernel<UnsignedDot256, FloatLanes256, TLayout, Vector256<byte>, Vector256<short>, Vector256<float>>(),
        (SimdLevel.Avx2, true) => new IntegerKernel<SignedDot256, FloatLanes256, TLayout, Vector256<byte>, Vector256<int>, Vector256<float>>(),
        (SimdLevel.Neon, _) => new IntegerKernel<DotNeon, FloatLanes128, TLayout, Vector128<byte>, Vector128<int>, Vector128<float>>(),
        _ => new ScalarIntegerKernel<TLayout>(),
    };
}
