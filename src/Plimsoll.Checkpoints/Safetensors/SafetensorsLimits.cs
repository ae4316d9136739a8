namespace Plimsoll.Checkpoints.Safetensors;

/// <summary>What a safetensors header may claim before it is believed.</summary>
public static class SafetensorsLimits
{
    /// <summary>The field that holds the header's length, a little-endian 64-bit integer.</summary>
    public const int LengthBytes = 8;

    /// <summary>The cap of the reference reader (<c>MAX_HEADER_SIZE</c> in safetensors' tensor.rs).</summary>
    public const int MaxHeaderBytes = 100_000_000;

    /// <summary>More dimensions than PyTorch iterates over (64, <c>MAX_DIMS</c> of its TensorIterator) have no reader.</summary>
    public const int MaxDimensions = 64;

    /// <summary>Five times the tensors of DeepSeek-V3 over all its shards (about 92,000). Keeping so many takes some 300 MB.</summary>
    public const int MaxTensors = 500_000;
}
