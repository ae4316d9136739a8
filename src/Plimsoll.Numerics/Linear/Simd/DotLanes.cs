using System.Runtime.Intrinsics;

namespace Plimsoll.Numerics.Linear.Simd;

/// <summary>Products of byte codes with quantized inputs: each 32-bit lane is a row, and its four codes meet the same four inputs.</summary>
/// <remarks>Operations are as large as the kernels want them: the just-in-time compiler stops inlining where there are too many small ones.</remarks>
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

    static abstract void Store(TCodes codes, byte* target);

    /// <summary>The bits of each byte from <paramref name="shift"/> on, those of <paramref name="mask"/>.</summary>
    static abstract TCodes LoadField(byte* source, int shift, byte mask);

    /// <summary>Adds bits, moved right by <paramref name="shift"/> or left where that is negative, to codes that have none of <paramref name="mask"/>.</summary>
    static abstract TCodes AddField(TCodes codes, byte* source, int shift, byte mask);

    /// <summary>The bytes that codes 0 … 15 stand for.</summary>
    static abstract TCodes Lookup(Vector128<byte> table, TCodes codes);

    /// <summary>Σ code · input of two quads.</summary>
    /// <param name="quads">Four inputs to a quad, in 4 bytes or 8.</param>
    static abstract TSums Two(TCodes w0, TCodes w1, byte* quads);

    /// <summary>Σ code · input of four quads.</summary>
    static abstract TSums Four(TCodes w0, TCodes w1, TCodes w2, TCodes w3, byte* quads);

    static abstract TSums Add(TSums a, TSums b);

    /// <summary>The sums of each row as a float.</summary>
    static abstract TFloats ToFloats(TSums sums);

    /// <summary>The sums of two that may not be added before they are widened.</summary>
    static abstract TFloats ToFloats(TSums a, TSums b);
}
