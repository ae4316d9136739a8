using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Plimsoll.Numerics.Linear.MachineCode;

/// <summary>What the processor and the system offer to machine code, asked of them directly.</summary>
/// <remarks>
/// Intel, Software Developer's Manual, volume 1, chapter 15.2 (detection of AVX-512) and volume 2, CPUID leaf 7. The runtime's own answers do not serve: it
/// knows no VNNI of 512 bits, and a program compiled ahead of time says no to whatever it was not compiled for.
/// </remarks>
internal static unsafe class Processor
{
    /// <summary>Leaf 7, EBX: AVX-512 F, DQ, BW and VL.</summary>
    private const int Avx512 = 1 << 16 | 1 << 17 | 1 << 30 | 1 << 31;

    /// <summary>Leaf 7, ECX: AVX-512 VNNI.</summary>
    private const int Vnni = 1 << 11;

    /// <summary>Leaf 1, ECX: the system has switched extended states on, and XGETBV tells which.</summary>
    private const int ExtendedStates = 1 << 27;

    /// <summary>The states of 128- and 256-bit registers, of masks, and of 512-bit registers.</summary>
    private const int VectorStates = 0b1110_0110;

    /// <summary>Whether the dot products of bytes with 512 bits (<c>vpdpbusd</c>) run here.</summary>
    /// <remarks>Who switches AVX-512 off for the runtime (<c>DOTNET_EnableAVX512=0</c>) switches it off here too.</remarks>
    public static bool HasVnni512 { get; } = IsAllowed && HasInstructions() && HasStates();

    private static bool IsAllowed => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64
        && (Vector512.IsHardwareAccelerated || !RuntimeFeature.IsDynamicCodeCompiled);

    private static bool HasInstructions()
    {
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < 7)
            return false;
        var features = X86Base.CpuId(7, 0);
        return (features.Ebx & Avx512) == Avx512 && (features.Ecx & Vnni) != 0 && (X86Base.CpuId(1, 0).Ecx & ExtendedStates) != 0;
    }

    private static bool HasStates()
    {
        var assembler = new Assembler();
        assembler.ReadEnabledState();
        assembler.Return();
        var read = (delegate* unmanaged<int>)ExecutableMemory.Place(assembler.Code);
        return read is not null && (read() & VectorStates) == VectorStates;
    }
}
