using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Plimsoll.Numerics.Linear.MachineCode;

/// <summary>The registers that a System V function may use without saving them; the first six hold its arguments, in this order.</summary>
internal enum Register
{
    Argument0 = 7,
    Argument1 = 6,
    Argument2 = 2,
    Argument3 = 1,
    Argument4 = 8,
    Argument5 = 9,
    Rax = 0,
    R10 = 10,
    R11 = 11,
}

/// <summary>Bytes at an address: a register and a displacement.</summary>
internal readonly record struct Memory(Register Base, int Displacement = 0)
{
    public static Memory operator +(Memory memory, int bytes) => memory with { Displacement = memory.Displacement + bytes };
}

/// <summary>Encodes the x86-64 instructions that the kernels of this folder are made of: 512-bit vectors by EVEX prefixes, and loops.</summary>
/// <remarks>
/// Encodings as in Intel's Software Developer's Manual, volume 2, chapter 2.7 (EVEX) and the pages of the instructions. Vector registers are numbers, 0 to 31.
/// </remarks>
internal sealed class Assembler
{
    private const int Vector = 64;
    private const int Single = 4;

    /// <summary>Register number of an operand that is not there: its bits are stored inverted, all ones.</summary>
    private const int None = 0;

    private readonly List<byte> code = [];

    private enum Prefix
    {
        None,
        Hex66,
    }

    private enum Map
    {
        Hex0F = 1,
        Hex0F38,
        Hex0F3A,
    }

    public ReadOnlySpan<byte> Code => CollectionsMarshal.AsSpan(code);

    public int Position => code.Count;

    public void Load(int target, Memory source) => Evex(Prefix.None, Map.Hex0F, 0x10, target, None, source, Vector);

    public void Store(Memory target, int source) => Evex(Prefix.None, Map.Hex0F, 0x11, source, None, target, Vector);

    /// <summary>16 numbers in FP16 as floats.</summary>
    public void LoadHalves(int target, Memory source) => Evex(Prefix.Hex66, Map.Hex0F38, 0x13, target, None, source, Vector / 2);

    /// <summary>16 numbers in BF16, the upper halves of floats, as floats.</summary>
    public void LoadUpperHalves(int target, Memory source)
    {
        Evex(Prefix.Hex66, Map.Hex0F38, 0x33, target, None, source, Vector / 2);
        Evex(Prefix.Hex66, Map.Hex0F, 0x72, 6, target, target);
        code.Add(16);
    }

    /// <summary>Each 32-bit lane = four bytes at an address.</summary>
    public void Broadcast(int target, Memory source) => Evex(Prefix.Hex66, Map.Hex0F38, 0x58, target, None, source, Single);

    /// <summary>Each 32-bit lane = a register.</summary>
    public void Broadcast(int target, Register source) => Evex(Prefix.Hex66, Map.Hex0F38, 0x7C, target, None, (int)source);

    /// <summary>Each 128-bit lane = 16 bytes at an address.</summary>
    public void BroadcastTable(int target, Memory source) => Evex(Prefix.Hex66, Map.Hex0F38, 0x5A, target, None, source, 16);

    /// <summary>target += Σ of four products per 32-bit lane; unsigned bytes of a register, signed bytes of one that stand at an address.</summary>
    public void AddDotProducts(int target, int unsigned, Memory signed) => Evex(Prefix.Hex66, Map.Hex0F38, 0x50, target, unsigned, signed, Single, broadcast: true);

    public void And(int target, int a, int b) => Evex(Prefix.Hex66, Map.Hex0F, 0xDB, target, a, b);

    public void And(int target, int a, Memory b) => Evex(Prefix.Hex66, Map.Hex0F, 0xDB, target, a, b, Vector);

    /// <summary>Zeroes one of the first 16 registers.</summary>
    /// <remarks>By the shorter form for 128 bits: of it processors know that it needs nothing old, of the one for 512 bits not all do.</remarks>
    public void Clear(int target) => code.AddRange(
        [0xC4, (byte)(target < 8 ? 0b111_00001 : 0b010_00001), (byte)((~target & 15) << 3 | (int)Prefix.Hex66), 0xEF, (byte)(0b11_000_000 | (target & 7) << 3 | target & 7)]);

    public void Xor(int target, int a, Memory b) => Evex(Prefix.Hex66, Map.Hex0F, 0xEF, target, a, b, Vector);

    /// <summary>target |= a and b.</summary>
    public void OrAnd(int target, int a, int b)
    {
        // The table of the three-operand function: bit 4 t + 2 a + b is t | a & b.
        Evex(Prefix.Hex66, Map.Hex0F3A, 0x25, target, a, b);
        code.Add(0b1111_1000);
    }

    /// <summary>Each 16-bit lane moved right by <paramref name="bits"/>, or left where they are negative.</summary>
    public void Shift(int target, Memory source, int bits)
    {
        Evex(Prefix.Hex66, Map.Hex0F, 0x71, bits < 0 ? 6 : 2, target, source, Vector);
        code.Add((byte)Math.Abs(bits));
    }

    /// <inheritdoc cref="Shift(int, Memory, int)"/>
    public void Shift(int target, int source, int bits)
    {
        Evex(Prefix.Hex66, Map.Hex0F, 0x71, bits < 0 ? 6 : 2, target, source);
        code.Add((byte)Math.Abs(bits));
    }

    /// <summary>target = the bytes of a table, the same 16 in each 128-bit lane, at <paramref name="places"/>.</summary>
    public void Lookup(int target, int table, int places) => Evex(Prefix.Hex66, Map.Hex0F38, 0x00, target, table, places);

    /// <summary>32-bit integers as floats.</summary>
    public void ToFloats(int target, int source) => Evex(Prefix.None, Map.Hex0F, 0x5B, target, None, source);

    /// <summary>target = a + b, floats.</summary>
    public void Add(int target, int a, int b) => Evex(Prefix.None, Map.Hex0F, 0x58, target, a, b);

    /// <summary>target = a · the float at an address.</summary>
    public void Multiply(int target, int a, Memory b) => Evex(Prefix.None, Map.Hex0F, 0x59, target, a, b, Single, broadcast: true);

    /// <summary>target += a · b.</summary>
    public void AddProduct(int target, int a, int b) => Evex(Prefix.Hex66, Map.Hex0F38, 0xB8, target, a, b);

    /// <summary>target += a · the float at an address.</summary>
    public void AddProduct(int target, int a, Memory b) => Evex(Prefix.Hex66, Map.Hex0F38, 0xB8, target, a, b, Single, broadcast: true);

    /// <summary>Brings the cache line of an address into the second-level cache.</summary>
    public void Prefetch(Memory source)
    {
        Rex(wide: false, None, source.Base);
        code.AddRange([0x0F, 0x18]);
        ModRm(2, source, 1);
    }

    public void Set(Register target, long value)
    {
        Rex(wide: true, None, target);
        code.Add((byte)(0xB8 | (int)target & 7));
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        code.AddRange(bytes);
    }

    /// <summary>target = address.</summary>
    public void Address(Register target, Memory source)
    {
        Rex(wide: true, (int)target, source.Base);
        code.Add(0x8D);
        ModRm((int)target, source, 1);
    }

    public void Add(Register target, int value)
    {
        Rex(wide: true, None, target);
        code.AddRange([0x81, (byte)(0b11_000_000 | (int)target & 7)]);
        Constant(value);
    }

    /// <summary>Takes 1 from a counter, and goes back to <paramref name="start"/> unless that leaves 0.</summary>
    public void Repeat(Register counter, int start)
    {
        Rex(wide: true, None, counter);
        code.AddRange([0xFF, (byte)(0b11_001_000 | (int)counter & 7)]);
        code.AddRange([0x0F, 0x85]);
        Constant(start - (Position + sizeof(int)));
    }

    /// <summary>The low half of the extended control register 0 becomes the result.</summary>
    public void ReadEnabledState()
    {
        code.AddRange([0x31, 0xC9]); // xor ecx, ecx
        code.AddRange([0x0F, 0x01, 0xD0]); // xgetbv
    }

    public void ClearUpperHalves() => code.AddRange([0xC5, 0xF8, 0x77]);

    public void Return() => code.Add(0xC3);

    private void Evex(Prefix prefix, Map map, byte opcode, int register, int second, int third)
    {
        Evex(prefix, map, opcode, register, second, (third >> 3 & 1) != 0, (third >> 4 & 1) != 0, broadcast: false);
        code.Add((byte)(0b11_000_000 | (register & 7) << 3 | third & 7));
    }

    /// <param name="unit">What a displacement of one byte counts in: the bytes that the instruction reads or writes.</param>
    private void Evex(Prefix prefix, Map map, byte opcode, int register, int second, Memory third, int unit, bool broadcast = false)
    {
        Evex(prefix, map, opcode, register, second, ((int)third.Base & 8) != 0, bit4: false, broadcast);
        ModRm(register, third, unit);
    }

    private void Evex(Prefix prefix, Map map, byte opcode, int register, int second, bool bit3, bool bit4, bool broadcast)
    {
        code.Add(0x62);
        code.Add((byte)((~register & 8) << 4 | (bit4 ? 0 : 0x40) | (bit3 ? 0 : 0x20) | ~register & 0x10 | (int)map));
        code.Add((byte)((~second & 15) << 3 | 4 | (int)prefix));
        code.Add((byte)(0x40 | (broadcast ? 0x10 : 0) | (~second & 0x10) >> 1));
        code.Add(opcode);
    }

    private void Rex(bool wide, int register, Register other) => code.Add((byte)(0x40 | (wide ? 8 : 0) | (register & 8) >> 1 | (int)other >> 3));

    /// <summary>A register and an address; those whose numbers end in 100 or 101 would need more, and none of <see cref="Register"/> does.</summary>
    private void ModRm(int register, Memory memory, int unit)
    {
        var (field, low, displacement) = ((register & 7) << 3, (int)memory.Base & 7, memory.Displacement);
        if (displacement == 0)
        {
            code.Add((byte)(field | low));
        }
        else if (displacement % unit == 0 && displacement / unit is >= sbyte.MinValue and <= sbyte.MaxValue)
        {
            code.AddRange([(byte)(0b01_000_000 | field | low), (byte)(displacement / unit)]);
        }
        else
        {
            code.Add((byte)(0b10_000_000 | field | low));
            Constant(displacement);
        }
    }

    private void Constant(int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        code.AddRange(bytes);
    }
}
