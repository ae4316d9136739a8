using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Plimsoll.Numerics.Linear.Integers;

namespace Plimsoll.Numerics.Linear.MachineCode;

/// <summary>The loops of <see cref="VnniKernel{TLayout}"/> as machine code; all take groups of 32 columns, and how many.</summary>
/// <remarks>
/// Vector registers: from 0 on a dot product per column of inputs, behind them the columns' sums; then the codes of a quad, the scales and minimums of a group, what
/// is on its way, and three constants.
/// </remarks>
internal sealed unsafe class VnniProgram<TLayout>
    where TLayout : struct, ICodeLayout
{
    private const int Codes = 25;
    private const int Scales = 26;
    private const int Minimums = 27;
    private const int Temporary = 28;
    private const int Table = 29;
    private const int Offset = 29;
    private const int HighMask = 30;
    private const int LowMask = 31;

    /// <summary>What adds 128 to a signed byte.</summary>
    private const byte SignBit = 0x80;

    private const int Quad = CodeTile.QuadBytes;
    private const int Vector = 64;

    /// <summary>So far ahead of what it multiplies a product with one column fetches packed weights; farther, or into the first level, slows it down.</summary>
    private const int Ahead = 1024;

    private static readonly int InputBytes = InputBlocks.BlockBytes(words: false);
    private static readonly int PlanesBytes = CodePlanes.GroupBytes<TLayout>();

    /// <summary>Groups under scales of their own in 32 columns: 1 or 2.</summary>
    private static readonly int Groups = 32 / TLayout.GroupLength;

    /// <summary>Whether what signed codes have too much is taken back with the minimums of the groups.</summary>
    private static readonly bool OffsetInMinimums = TLayout.IsSigned && TLayout.HasMinimums;

    private static readonly Memory Floats = new(Register.Rax);
    private static readonly Memory InputSums = new(Register.R10);

    private readonly Assembler assembler = new();

    private VnniProgram()
    {
    }

    /// <summary>Codes out of their planes: (planes, codes, -, -, -, groups of 32).</summary>
    public static ReadOnlySpan<byte> Unpack()
    {
        var program = new VnniProgram<TLayout>();
        program.SetConstants();
        program.Repeat(() =>
        {
            for (var quad = 0; quad < 8; quad++)
            {
                program.LoadQuad(quad);
                program.assembler.Store(new(Register.Argument1, quad * Quad), Codes);
            }
            program.assembler.Add(Register.Argument0, PlanesBytes);
            program.assembler.Add(Register.Argument1, 8 * Quad);
        });
        return program.Finish();
    }

    /// <summary>The product with <paramref name="columns"/> columns of inputs, up to 12: (codes, scales, minimums, inputs, sums, groups of 32).</summary>
    /// <param name="isPacked">Whether codes lie in their planes.</param>
    public static ReadOnlySpan<byte> Product(int columns, bool isPacked)
    {
        var program = new VnniProgram<TLayout>();
        program.SetConstants();
        program.Multiply(columns, isPacked);
        return program.Finish();
    }

    private void Multiply(int columns, bool isPacked)
    {
        assembler.Address(Floats.Base, new(Register.Argument3, InputBlocks.CodeBytes(words: false)));
        assembler.Address(InputSums.Base, Floats + (TLayout.GroupLength == 16 ? InputBlocks.SumsOf16 : InputBlocks.SumsOf32) * sizeof(float));
        for (var column = 0; column < columns; column++)
            assembler.Load(columns + column, new(Register.Argument4, column * Vector));
        Repeat(() =>
        {
            for (var group = 0; group < Groups; group++)
                Multiply(columns, isPacked, group);
            for (var line = 0; isPacked && line < PlanesBytes; line += Vector)
                assembler.Prefetch(new(Register.Argument0, Ahead + line));
            assembler.Add(Register.Argument0, isPacked ? PlanesBytes : 8 * Quad);
            assembler.Add(Register.Argument1, Groups * Vector);
            assembler.Add(Register.Argument2, Groups * Vector);
            assembler.Add(Register.Argument3, 32);
            assembler.Add(Floats.Base, sizeof(float));
            assembler.Add(InputSums.Base, Groups * sizeof(float));
        });
        for (var column = 0; column < columns; column++)
            assembler.Store(new(Register.Argument4, column * Vector), columns + column);
    }

    private void Multiply(int columns, bool isPacked, int group)
    {
        for (var column = 0; column < columns; column++)
            assembler.Clear(column);
        for (var quad = group * 8 / Groups; quad < (group + 1) * 8 / Groups; quad++)
        {
            if (isPacked)
                LoadQuad(quad);
            else
                assembler.Load(Codes, new(Register.Argument0, quad * Quad));
            for (var column = 0; column < columns; column++)
                assembler.AddDotProducts(column, Codes, new(Register.Argument3, column * InputBytes + quad * 4));
        }
        assembler.Load(Scales, new(Register.Argument1, group * Vector));
        if (TLayout.HasMinimums)
            assembler.Load(Minimums, new(Register.Argument2, group * Vector));
        if (OffsetInMinimums)
            assembler.AddProduct(Minimums, Scales, Offset);
        for (var column = 0; column < columns; column++)
            Scale(column, columns + column, Floats + column * InputBytes, InputSums + (column * InputBytes + group * sizeof(float)));
    }

    /// <summary>sum += dot product · scale · d, less what the codes have too much.</summary>
    private void Scale(int dotProduct, int sum, Memory inputScale, Memory inputSum)
    {
        assembler.ToFloats(dotProduct, dotProduct);
        if (TLayout.HasMinimums)
        {
            assembler.Multiply(Temporary, Scales, inputScale);
            assembler.AddProduct(sum, dotProduct, Temporary);
            assembler.AddProduct(sum, Minimums, inputSum);
        }
        else
        {
            assembler.Broadcast(Temporary, inputSum);
            assembler.AddProduct(Temporary, dotProduct, inputScale);
            assembler.AddProduct(sum, Temporary, Scales);
        }
    }

    /// <summary>One quad out of the planes, in codes from 0 on.</summary>
    private void LoadQuad(int quad)
    {
        if (TLayout.LowBits == 8)
        {
            assembler.Xor(Codes, HighMask, new Memory(Register.Argument0, quad * Quad));
            return;
        }
        var low = new Memory(Register.Argument0, quad % TLayout.LowBits * Quad);
        var place = quad / TLayout.LowBits * TLayout.LowBits;
        if (place > 0)
            assembler.Shift(Codes, low, place);
        if (place > 0)
            assembler.And(Codes, Codes, LowMask);
        else
            assembler.And(Codes, LowMask, low);
        if (TLayout.HighBits > 0)
        {
            var high = new Memory(Register.Argument0, (TLayout.LowBits + quad % TLayout.HighBits) * Quad);
            assembler.Shift(Temporary, high, quad / TLayout.HighBits * TLayout.HighBits - TLayout.LowBits);
            assembler.OrAnd(Codes, Temporary, HighMask);
        }
        if (TLayout.HasTable)
            assembler.Lookup(Codes, Table, Codes);
    }

    private void SetConstants()
    {
        SetBytes(LowMask, (1 << TLayout.LowBits) - 1);
        SetBytes(HighMask, TLayout.LowBits == 8 ? SignBit : ((1 << TLayout.HighBits) - 1) << TLayout.LowBits);
        if (OffsetInMinimums)
        {
            assembler.Set(Register.R11, BitConverter.SingleToInt32Bits(SignBit));
            assembler.Broadcast(Offset, Register.R11);
        }
        if (!TLayout.HasTable)
            return;
        // The table lives as long as the code does: for ever.
        var table = (Vector128<byte>*)NativeMemory.AlignedAlloc((nuint)sizeof(Vector128<byte>), (nuint)sizeof(Vector128<byte>));
        *table = TLayout.Table ^ Vector128.Create(TLayout.IsSigned ? SignBit : (byte)0);
        assembler.Set(Register.R11, (long)table);
        assembler.BroadcastTable(Table, new(Register.R11));
    }

    private void SetBytes(int vector, int value)
    {
        assembler.Set(Register.R11, value * 0x0101_0101L);
        assembler.Broadcast(vector, Register.R11);
    }

    /// <summary>Does something as often as the last argument says.</summary>
    private void Repeat(Action body)
    {
        var start = assembler.Position;
        body();
        assembler.Repeat(Register.Argument5, start);
    }

    private ReadOnlySpan<byte> Finish()
    {
        assembler.ClearUpperHalves();
        assembler.Return();
        return assembler.Code;
    }
}
