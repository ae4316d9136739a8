namespace Plimsoll.Numerics.Blocks;

/// <summary>How hard an encoder looks for the codes of a block.</summary>
public enum BlockSearch
{
    /// <summary>As llama.cpp's quantizer does: the bytes are the same.</summary>
    Exact,

    /// <summary>The same format and bytes, but codes and scales with a lower weighted error.</summary>
    Best,
}
