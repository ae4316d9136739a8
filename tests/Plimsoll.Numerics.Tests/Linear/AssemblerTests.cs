using Plimsoll.Numerics.Linear.MachineCode;

namespace Plimsoll.Numerics.Tests.Linear;

/// <summary>Against GNU as 2.40 (<c>as</c>, <c>objdump -d</c>), whose bytes stand here.</summary>
public sealed class AssemblerTests
{
    [Fact]
    public void Instructions_are_encoded_as_gnu_as_encodes_them()
    {
        Expect("62 f1 7c 48 10 1f", asm => asm.Load(3, new(Register.Argument0))); // vmovups zmm3, [rdi]
        Expect("62 61 7c 48 10 66 02", asm => asm.Load(28, new(Register.Argument1, 128))); // vmovups zmm28, [rsi+128]
        Expect("62 c1 7c 48 11 48 01", asm => asm.Store(new(Register.Argument4, 64), 17)); // vmovups [r8+64], zmm17
        Expect("62 72 7d 48 13 67 03", asm => asm.LoadHalves(12, new(Register.Argument0, 96))); // vcvtph2ps zmm12, [rdi+96]
        Expect("62 72 7d 48 33 77 02 62 d1 0d 48 72 f6 10", asm => asm.LoadUpperHalves(14, new(Register.Argument0, 64))); // vpmovzxwd zmm14, [rdi+64]; vpslld zmm14, zmm14, 16
        Expect("62 42 7d 48 58 62 03", asm => asm.Broadcast(28, new Memory(Register.R10, 12))); // vpbroadcastd zmm28, [r10+12]
        Expect("62 42 7d 48 7c fb", asm => asm.Broadcast(31, Register.R11)); // vpbroadcastd zmm31, r11d
        Expect("62 42 7d 48 5a 2b", asm => asm.BroadcastTable(29, new(Register.R11))); // vbroadcasti32x4 zmm29, [r11]
        Expect("62 72 35 50 50 99 84 10 00 00", asm => asm.AddDotProducts(11, 25, new(Register.Argument3, 4228))); // vpdpbusd zmm11, zmm25, [rcx+4228]{1to16}
        Expect("62 01 35 40 db cf", asm => asm.And(25, 25, 31)); // vpandd zmm25, zmm25, zmm31
        Expect("62 61 05 40 db 4f 03", asm => asm.And(25, 31, new Memory(Register.Argument0, 192))); // vpandd zmm25, zmm31, [rdi+192]
        Expect("62 61 0d 40 ef 4f 07", asm => asm.Xor(25, 30, new(Register.Argument0, 448))); // vpxord zmm25, zmm30, [rdi+448]
        Expect("62 03 1d 40 25 ce f8", asm => asm.OrAnd(25, 28, 30)); // vpternlogd zmm25, zmm28, zmm30, 0xf8
        Expect("62 f1 35 40 71 57 01 04", asm => asm.Shift(25, new Memory(Register.Argument0, 64), 4)); // vpsrlw zmm25, [rdi+64], 4
        Expect("62 f1 1d 40 71 77 04 02", asm => asm.Shift(28, new Memory(Register.Argument0, 256), -2)); // vpsllw zmm28, [rdi+256], 2
        Expect("62 02 15 40 00 c9", asm => asm.Lookup(25, 29, 25)); // vpshufb zmm25, zmm29, zmm25
        Expect("62 f1 7c 48 5b ff", asm => asm.ToFloats(7, 7)); // vcvtdq2ps zmm7, zmm7
        Expect("62 f1 64 48 58 df", asm => asm.Add(3, 3, 7)); // vaddps zmm3, zmm3, zmm7
        Expect("62 61 2c 50 59 60 60", asm => asm.Multiply(28, 26, new(Register.Rax, 384))); // vmulps zmm28, zmm26, [rax+384]{1to16}
        Expect("62 c2 25 50 b8 5a 02", asm => asm.AddProduct(19, 27, new Memory(Register.R10, 8))); // vfmadd231ps zmm19, zmm27, [r10+8]{1to16}
        Expect("62 82 1d 40 b8 da", asm => asm.AddProduct(19, 28, 26)); // vfmadd231ps zmm19, zmm28, zmm26
        Expect("c4 41 21 ef db", asm => asm.Clear(11)); // vpxor xmm11, xmm11, xmm11
        Expect("c4 e1 69 ef d2", asm => asm.Clear(2)); // {vex3} vpxor xmm2, xmm2, xmm2
        Expect("40 0f 18 97 00 04 00 00", asm => asm.Prefetch(new(Register.Argument0, 1024))); // rex prefetcht1 [rdi+1024]
        Expect("49 bb ef cd ab 89 67 45 23 01", asm => asm.Set(Register.R11, 0x0123_4567_89AB_CDEF)); // movabs r11, 0x123456789abcdef
        Expect("4c 8d 50 20", asm => asm.Address(Register.R10, new(Register.Rax, 32))); // lea r10, [rax+32]
        Expect("48 81 c7 00 01 00 00", asm => asm.Add(Register.Argument0, 256)); // add rdi, 256
        Expect("49 ff c9 0f 85 f7 ff ff ff", asm => asm.Repeat(Register.Argument5, 0)); // 0: dec r9; jne 0b
        Expect("31 c9 0f 01 d0 c5 f8 77 c3", asm => { asm.ReadEnabledState(); asm.ClearUpperHalves(); asm.Return(); }); // xor ecx, ecx; xgetbv; vzeroupper; ret
    }

    private static void Expect(string bytes, Action<Assembler> write)
    {
        var assembler = new Assembler();
        write(assembler);
        Assert.Equal(bytes, Convert.ToHexStringLower(assembler.Code).Chunk(2).Select(pair => new string(pair)).Aggregate((a, b) => $"{a} {b}"));
    }
}
