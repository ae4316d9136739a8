using System.Numerics;
using System.Runtime.CompilerServices;
using Plimsoll.Numerics.Linear.MachineCode;
using Plimsoll.Numerics.Linear.Simd;

namespace Plimsoll.Numerics.Linear.Floats;

/// <summary>FP32: a chunk is (columns, 16) as the tile is.</summary>
internal sealed unsafe class Fp32Panels() : FloatPanels(NumberFormats.Fp32)
{
    public override void* DirectProduct => FloatProgram.Fp32;

    public override void Pack(byte* rows, long stride, int columns, byte* chunk)
    {
        var target = (uint*)chunk;
        for (var row = 0; row < Panel.Rows; row++)
        {
            var source = (uint*)(rows + row * stride);
            for (var k = 0; k < columns; k++)
                target[k * Panel.Rows + row] = source[k];
        }
    }

    public override void Unpack(byte* chunk, int columns, float* tile) =>
        Buffer.MemoryCopy(chunk, tile, ChunkBytes(columns), ChunkBytes(columns));
}

/// <summary>FP16 and BF16: a chunk is (columns, 16) codes.</summary>
internal abstract unsafe class SixteenBitPanels(NumberFormat format) : FloatPanels(format)
{
    public sealed override void Pack(byte* rows, long stride, int columns, byte* chunk)
    {
        var target = (ushort*)chunk;
        for (var row = 0; row < Panel.Rows; row++)
        {
            var source = (ushort*)(rows + row * stride);
            for (var k = 0; k < columns; k++)
                target[k * Panel.Rows + row] = source[k];
        }
    }
}

internal sealed unsafe class Fp16Panels() : SixteenBitPanels(NumberFormats.Fp16)
{
    public override void* DirectProduct => FloatProgram.Fp16;

    public override void Unpack(byte* chunk, int columns, float* tile) => HalfFloats.Widen((ushort*)chunk, columns * Panel.Rows, tile);
}

internal sealed unsafe class Bf16Panels() : SixteenBitPanels(NumberFormats.Bf16)
{
    public override void* DirectProduct => FloatProgram.Bf16;

    /// <summary>The code is the upper half of the float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Unpack(byte* chunk, int columns, float* tile)
    {
        var source = (ushort*)chunk;
        for (var i = 0; i < columns * Panel.Rows; i += Vector<ushort>.Count)
        {
            Vector.Widen(Vector.Load(source + i), out var lower, out var upper);
            Vector.ShiftLeft(lower, 16).As<uint, float>().Store(tile + i);
            Vector.ShiftLeft(upper, 16).As<uint, float>().Store(tile + i + Vector<float>.Count);
        }
    }
}
