using Plimsoll.Numerics.Blocks.Lanes;
using Plimsoll.Numerics.Blocks.Packing;

namespace Plimsoll.Numerics.Blocks.Legacy;

/// <summary>FP16 scale, 32 four-bit codes.</summary>
internal sealed class Q4_0<T>() : SignedLegacyCodec<T, FourBits>("Q4_0") where T : unmanaged, ILanes<T>;

/// <summary>FP16 scale and minimum, 32 four-bit codes.</summary>
internal sealed class Q4_1<T>() : MinLegacyCodec<T, FourBits>("Q4_1") where T : unmanaged, ILanes<T>;

/// <summary>FP16 scale, 32 five-bit codes.</summary>
internal sealed class Q5_0<T>() : SignedLegacyCodec<T, FiveBits>("Q5_0") where T : unmanaged, ILanes<T>;

/// <summary>FP16 scale and minimum, 32 five-bit codes.</summary>
internal sealed class Q5_1<T>() : MinLegacyCodec<T, FiveBits>("Q5_1") where T : unmanaged, ILanes<T>;
