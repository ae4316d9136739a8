using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Plimsoll.Numerics.Linear.MachineCode;

namespace Plimsoll.Numerics.Linear.Simd;

/// <summary>Which instructions the products use; tests ask for each that the processor has.</summary>
internal enum SimdLevel
{
    /// <summary>Plain C#: the reference of all others.</summary>
    Scalar,

    /// <summary>Arm NEON with the dot-product extension.</summary>
    Neon,

    /// <summary>256 bits, byte products by <c>vpmaddubsw</c>.</summary>
    Avx2,

    /// <summary>256 bits, byte products by <c>vpdpbusd</c>.</summary>
    AvxVnni,

    /// <summary>512 bits, byte products by <c>vpmaddubsw</c>: .NET 10 reaches no VNNI of that width.</summary>
    Avx512,

    /// <summary>512 bits, byte products by <c>vpdpbusd</c> in machine code of our own.</summary>
    Avx512Vnni,
}

internal static class SimdLevels
{
    /// <summary>The fastest that this processor has.</summary>
    public static SimdLevel Best { get; } = Enum.GetValues<SimdLevel>().Where(IsSupported).Max();

    public static bool IsSupported(SimdLevel level) => level switch
    {
        SimdLevel.Neon => Dp.IsSupported,
        SimdLevel.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        SimdLevel.AvxVnni => AvxVnni.IsSupported && Fma.IsSupported,
        SimdLevel.Avx512 => Avx512BW.IsSupported && Vector512.IsHardwareAccelerated,
        SimdLevel.Avx512Vnni => Processor.HasVnni512,
        _ => true,
    };
}
