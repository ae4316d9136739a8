using Plimsoll.Numerics.Blocks.Lanes;

namespace Plimsoll.Numerics.Blocks.Packing;

/// <summary>Where the bits of 32 codes go.</summary>
internal interface ICodePacking
{
    /// <summary>Bits of a code.</summary>
    static abstract int Bits { get; }

    static abstract void Pack(ReadOnlySpan<byte> codes, Span<byte> packed);

    static abstract void Unpack(ReadOnlySpan<byte> packed, Span<byte> codes);

    /// <summary>Packs truncate((x − offset) · inverse + bias), at most the highest code.</summary>
    /// <param name="values">(32).</param>
    static abstract void Encode<T>(ref readonly float values, T offset, T inverse, float bias, Span<byte> packed) where T : unmanaged, ILanes<T>;
}
