namespace Plimsoll.Numerics.Linear.Simd;

/// <summary>Products of byte codes with quantized inputs: each 32-bit lane is a row, and its four codes meet the same four inputs.</summary>
/// <typeparam name="TCodes">A quad of columns of all rows.</typeparam>
/// <typeparam name="TSums">Sums of products before they become floats.</typeparam>
/// <typeparam name="TFloats">One float per row.</typeparam>
internal unsafe interface IDotLanes<TCodes, TSums, TFloats>
{
    /// <summary>Whether the inputs are 16-bit numbers, in the order 0 2 1 3 of each quad.</summary>
    static abstract bool TakesWords { get; }

    /// <summary>What the instruction adds to each code, so that it is not negative; the kernel takes it back with the minimums.</summary>
    static abstract int Offset { get; }

    static abstract TCodes Load(byte* codes);

    /// <summary>Σ code · input of one quad.</summary>
    /// <param name="quad">Four inputs, in 4 bytes or 8.</param>
    static abstract TSums Multiply(TCodes codes, byte* quad);

    /// <summary>sums + Σ code · input of one quad.</summary>
    static abstract TSums MultiplyAdd(TSums sums, TCodes codes, byte* quad);

    static abstract TSums Add(TSums a, TSums b);

    /// <summary>The sums of each row as a float.</summary>
    static abstract TFloats ToFloats(TSums sums);

    /// <summary>The sums of two that may not be added before they are widened.</summary>
    static abstract TFloats ToFloats(TSums a, TSums b);
}
