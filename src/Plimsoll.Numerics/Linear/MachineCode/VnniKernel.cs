using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Linear.Integers;

namespace Plimsoll.Numerics.Linear.MachineCode;

/// <summary>16 rows at a time; one instruction multiplies unsigned codes with signed bytes and sums quads in 32 bits. Signed codes become unsigned by adding 128.</summary>
/// <remarks>
/// The instruction, <c>vpdpbusd</c> of 512 bits, has no intrinsic in .NET 10, so the loops are machine code of our own (<see cref="VnniProgram{TLayout}"/>), as
/// oneDNN and FBGEMM make theirs. Many columns of inputs meet codes that were unpacked once; a few meet codes straight from their planes, one by one.
/// </remarks>
internal sealed unsafe class VnniKernel<TLayout> : IntegerKernel
    where TLayout : struct, ICodeLayout
{
    /// <summary>Columns of inputs at a time: their dot products and sums fill 24 registers.</summary>
    private const int Together = 12;

    /// <summary>For what is left of them.</summary>
    private const int Few = 4;

    // Compiled once for each layout.
    private static readonly void* UnpackCode = ExecutableMemory.Place(VnniProgram<TLayout>.Unpack());
    private static readonly void* TogetherCode = ExecutableMemory.Place(VnniProgram<TLayout>.Product(Together, isPacked: false));
    private static readonly void* FewCode = ExecutableMemory.Place(VnniProgram<TLayout>.Product(Few, isPacked: false));
    private static readonly void* OneCode = ExecutableMemory.Place(VnniProgram<TLayout>.Product(1, isPacked: true));

    public override bool TakesWords => false;

    public override float SumFactor => TLayout.HasMinimums ? 1 : TLayout.IsSigned ? 128 : TLayout.Centre;

    public override void Multiply(in CodeTile tile, int length, byte* inputs, int columns, float* sums)
    {
        var blockBytes = InputBlocks.BlockBytes(words: false);
        var groups = length / 32;
        if (columns >= Few)
        {
            ((delegate* unmanaged[SuppressGCTransition]<byte*, byte*, nint, nint, nint, nint, void>)UnpackCode)(tile.Planes, tile.Codes, 0, 0, 0, groups);
            for (; columns >= Together; columns -= Together, inputs += Together * blockBytes, sums += Together * Panel.Rows)
                Run(TogetherCode, tile.Codes, tile.Scales, tile.Minimums, inputs, sums, groups);
            for (; columns >= Few; columns -= Few, inputs += Few * blockBytes, sums += Few * Panel.Rows)
                Run(FewCode, tile.Codes, tile.Scales, tile.Minimums, inputs, sums, groups);
        }
        for (; columns > 0; columns--, inputs += blockBytes, sums += Panel.Rows)
            Run(OneCode, tile.Planes, tile.Scales, tile.Minimums, inputs, sums, groups);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run(void* product, byte* codes, float* scales, float* minimums, byte* inputs, float* sums, nint groups) =>
        ((delegate* unmanaged[SuppressGCTransition]<byte*, float*, float*, byte*, float*, nint, void>)product)(codes, scales, minimums, inputs, sums, groups);
}
