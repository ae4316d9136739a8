using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Packing;

namespace Plimsoll.Numerics.Linear.Integers;

/// <summary>value = scale · code − scale · zero, or scale · (code − middle), in blocks of 32 to 256 columns.</summary>
internal sealed unsafe class IntegerRowPanels<TLayout>(IntegerRowFormat rows) : IntegerPanels<TLayout>(rows.Block, 0..rows.HeaderBytes)
    where TLayout : struct, ICodeLayout
{
    private readonly int bits = rows.Bits;
    private readonly int headerBytes = rows.HeaderBytes;
    private readonly int scaleBytes = rows.Scale.BlockBytes;
    private readonly bool isHalf = rows.Scale == NumberFormats.Fp16;
    private readonly int groups = rows.BlockLength / TLayout.GroupLength;

    protected override void ReadCodes(ReadOnlySpan<byte> block, Span<byte> codes) => BitStream.Unpack(MemoryMarshal.Cast<byte, uint>(block[headerBytes..]), bits, codes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void UnpackScales(byte* bytes, int blocks, float* scales, float* minimums)
    {
        for (var block = 0; block < blocks; block++, bytes += headerBytes * Panel.Rows)
        {
            if (isHalf)
                RowScales.Halves(bytes, scales);
            else
                RowScales.Singles(bytes, scaleBytes, scales);
            if (TLayout.HasMinimums)
            {
                Minimums(Vector128.Load(bytes + scaleBytes * Panel.Rows), scales, minimums);
                Repeat(minimums);
                minimums += groups * Panel.Rows;
            }
            Repeat(scales);
            scales += groups * Panel.Rows;
        }
    }

    /// <summary>What is subtracted: scale · zero, where zero counts from the code 0; signed bytes are 128 below it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Minimums(Vector128<byte> zeros, float* scales, float* minimums)
    {
        if (TLayout.IsSigned)
            RowScales.Signed((zeros ^ Vector128.Create((byte)0x80)).AsSByte(), scales, minimums);
        else
            RowScales.Unsigned(zeros, scales, minimums);
    }

    /// <summary>The same for every group of the block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Repeat(float* first)
    {
        var (low, high) = (Vector256.Load(first), Vector256.Load(first + 8));
        for (var group = 1; group < groups; group++)
        {
            low.Store(first + group * Panel.Rows);
            high.Store(first + group * Panel.Rows + 8);
        }
    }
}
