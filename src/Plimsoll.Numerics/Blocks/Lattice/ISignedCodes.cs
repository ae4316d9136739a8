namespace Plimsoll.Numerics.Blocks.Lattice;

/// <summary>A format of super-blocks whose weights are signed bytes under scales of 16 weights once the points have been looked up.</summary>
internal interface ISignedCodes
{
    NumberFormat Format { get; }

    /// <summary>Reads a block: value = scale · code.</summary>
    /// <param name="codes">Receives 256 signed bytes, eight to each element.</param>
    /// <param name="scales">(16).</param>
    void Read(ReadOnlySpan<byte> block, Span<ulong> codes, Span<float> scales);
}
