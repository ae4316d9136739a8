using Plimsoll.Numerics;

namespace Plimsoll.Runtime;

/// <summary>How a sequence is run.</summary>
public sealed record SessionOptions
{
    /// <summary>Tokens computed at once while a prompt is read, unless the context is shorter.</summary>
    public const int DefaultBatch = 512;

    /// <summary>The most tokens that the sequence can hold.</summary>
    public required int Context { get; init; }

    /// <summary>The number format of cached keys and values: FP32, FP16, BF16, Q8_0 or Q4_0.</summary>
    public NumberFormat KeyValueFormat { get; init; } = NumberFormats.Fp16;

    public int Batch { get; init; } = DefaultBatch;

    /// <summary>Sees the inputs of every linear layer; null costs nothing.</summary>
    public IInputObserver? Observer { get; init; }
}
