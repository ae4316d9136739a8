namespace Plimsoll.Quantization.Output;

/// <summary>The whole bytes of the tensors that a job writes, in the order of its outputs.</summary>
/// <remarks>Buffers are native memory: a tensor may be larger than 2 GiB, so bytes are asked for by range.</remarks>
public abstract class OutputBuffers
{
    /// <summary>A range of the bytes of output <paramref name="index"/>.</summary>
    public abstract Span<byte> Range(int index, long offset, int length);
}
