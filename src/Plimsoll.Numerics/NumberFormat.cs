using Plimsoll.Numerics.Codecs;

namespace Plimsoll.Numerics;

/// <summary>How the numbers of a format are stored.</summary>
public enum NumberFormatKind
{
    /// <summary>Sign, exponent and mantissa per element: FP32, BF16, FP8.</summary>
    Float,

    /// <summary>Two's complement or unsigned integers per element: INT8, INT4, and the index types of checkpoints.</summary>
    Integer,

    /// <summary>A block of codes that share scales: the ggml types, NF4, MXFP4, NVFP4.</summary>
    Block,
}

/// <summary>One number format: what a stored element costs and what it can represent.</summary>
/// <remarks>
/// The cost is exact for whole blocks: <see cref="BlockBytes"/> bytes hold <see cref="BlockLength"/> elements, scales included.
/// Knowledge about a format lives in <see cref="NumberFormats"/> and nowhere else.
/// </remarks>
public sealed record NumberFormat
{
    /// <summary>The name that the field uses: <c>BF16</c>, <c>Q4_K</c>, <c>NF4</c>.</summary>
    public required string Name { get; init; }

    public required NumberFormatKind Kind { get; init; }

    /// <summary>Elements in one block; 1 for plain element types, 2 where two elements share a byte.</summary>
    public required int BlockLength { get; init; }

    /// <summary>Bytes of one block, scales and minimums included.</summary>
    public required int BlockBytes { get; init; }

    /// <summary>Other names that people type, in lower case.</summary>
    public string[] Aliases { get; init; } = [];

    /// <summary>The type id in GGUF files; null when ggml has no such type.</summary>
    public int? GgmlType { get; init; }

    /// <summary>The dtype in safetensors files; null when a safetensors file stores this format as several tensors.</summary>
    public string? SafetensorsType { get; init; }

    /// <summary>Bits of the exponent and mantissa of one code, where the format has them.</summary>
    public int? ExponentBits { get; init; }

    public int? MantissaBits { get; init; }

    /// <summary>The layout and scalar codec of one code, for signed floating-point formats.</summary>
    public FloatLayout? Layout { get; init; }

    /// <summary>Bits of one code of an integer format; null for the others and for BOOL.</summary>
    public int? IntegerBits { get; init; }

    /// <summary>Whether an element can be negative.</summary>
    public bool IsSigned { get; init; } = true;

    /// <summary>The largest finite magnitude of one element before scales; null when the scale decides or no double is exact (64-bit integers).</summary>
    public double? MaxValue { get; init; }

    /// <summary>The smallest positive normal and subnormal magnitudes, for floating-point formats.</summary>
    public double? MinNormal { get; init; }

    public double? MinSubnormal { get; init; }

    /// <summary>The engines that compute from weights or KV cache stored so, without converting them to something larger first.</summary>
    public string[] Engines { get; init; } = [];

    /// <summary>One sentence: layout, or what it is for.</summary>
    public required string Summary { get; init; }

    public double BitsPerWeight => 8.0 * BlockBytes / BlockLength;

    /// <summary>Bytes of a contiguous row of <paramref name="elements"/>, whole blocks.</summary>
    /// <exception cref="OverflowException">The size does not fit 64 bits.</exception>
    public long BytesFor(long elements)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elements);
        var blocks = elements / BlockLength + (elements % BlockLength == 0 ? 0 : 1);
        return checked(blocks * BlockBytes);
    }

    public override string ToString() => Name;
}
