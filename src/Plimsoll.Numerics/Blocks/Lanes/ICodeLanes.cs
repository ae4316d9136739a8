namespace Plimsoll.Numerics.Blocks.Lanes;

/// <summary>Lanes that also hold integers and look floats up by them.</summary>
internal unsafe interface ICodeLanes<T> : ILanes<T> where T : unmanaged, ICodeLanes<T>
{
    /// <summary>16-bit codes, not floats, each in the bits of its lane.</summary>
    static abstract T LoadCodes(ref readonly ushort source);

    /// <summary>The low 16 bits of each lane truncated toward zero, where that fits 32 bits.</summary>
    static abstract void StoreCodes(T value, ref ushort target);

    static abstract T ShiftRight(T codes, int bits);

    /// <summary>Of a table of four floats the one at the lowest two bits of each code.</summary>
    static abstract T Look4(float* table, T codes);

    /// <summary>Of a table of eight floats the one at the lowest three bits of each code.</summary>
    static abstract T Look8(float* table, T codes);
}
