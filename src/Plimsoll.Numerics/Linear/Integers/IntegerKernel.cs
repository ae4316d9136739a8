using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>The product of a tile of codes with quantized inputs:
/// sums[c][r] += Σ_groups scale[g][r] · d[c][g] · (Σ_k code[r][k] · q[c][k]) − minimum[g][r] · d[c][g] · Σ_k q[c][k].</summary>
internal abstract unsafe class IntegerKernel
{
    /// <summary>Whether it takes the codes of inputs as 16-bit numbers.</summary>
    public abstract bool TakesWords { get; }

    /// <param name="length">Columns of the tile: a multiple of 32.</param>
    /// <param name="inputs">The blocks of <paramref name="columns"/> columns of inputs, one after the other.</param>
    /// <param name="sums">(columns, 16).</param>
    public abstract void Multiply(CodeTile tile, int length, byte* inputs, int columns, float* sums);

    public static IntegerKernel For(SimdLevel level, TileShape shape) => shape switch
    {
        TileShape.FourBitsBy32 => Unsigned<FourBitsBy32>(level),
        TileShape.FiveBitsBy32 => Unsigned<FiveBitsBy32>(level),
        TileShape.FiveBitsBy16 => Unsigned<FiveBitsBy16>(level),
        TileShape.SixBitsBy16 => Unsigned<SixBitsBy16>(level),
        TileShape.SignedBy16 => Signed<SignedBy16>(level),
        TileShape.SignedWithMinimumsBy32 => Signed<SignedWithMinimumsBy32>(level),
        _ => Signed<SignedBy32>(level),
    };

    private static IntegerKernel Unsigned<TShape>(SimdLevel level) where TShape : struct, ITileShape => level switch
    {
        SimdLevel.Avx512 => new IntegerKernel<UnsignedDot512, FloatLanes512, TShape, Vector512<byte>, Vector512<short>, Vector512<float>>(),
        SimdLevel.AvxVnni => new IntegerKernel<UnsignedDotVnni, FloatLanes256, TShape, Vector256<byte>, Vector256<int>, Vector256<float>>(),
        SimdLevel.Avx2 => new IntegerKernel<UnsignedDot256, FloatLanes256, TShape, Vector256<byte>, Vector256<short>, Vector256<float>>(),
        SimdLevel.Neon => new IntegerKernel<DotNeon, FloatLanes128, TShape, Vector128<sbyte>, Vector128<int>, Vector128<float>>(),
        _ => new ScalarIntegerKernel<TShape>(isSigned: false),
    };

    private static IntegerKernel Signed<TShape>(SimdLevel level) where TShape : struct, ITileShape => level switch
    {
        SimdLevel.Avx512 => new IntegerKernel<SignedDot512, FloatLanes512, TShape, Vector512<byte>, Vector512<int>, Vector512<float>>(),
        SimdLevel.AvxVnni => new IntegerKernel<SignedDotVnni, FloatLanes256, TShape, Vector256<byte>, Vector256<int>, Vector256<float>>(),
        SimdLevel.Avx2 => new IntegerKernel<SignedDot256, FloatLanes256, TShape, Vector256<byte>, Vector256<int>, Vector256<float>>(),
        SimdLevel.Neon => new IntegerKernel<DotNeon, FloatLanes128, TShape, Vector128<sbyte>, Vector128<int>, Vector128<float>>(),
        _ => new ScalarIntegerKernel<TShape>(isSigned: true),
    };
}
