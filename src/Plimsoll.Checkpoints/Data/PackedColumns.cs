namespace Plimsoll.Checkpoints.Data;

/// <summary>The packed words of a layer whose rows lie across the whole tensor, as GPTQ and AWQ have them: read whole, and kept as long as memory is not needed otherwise.</summary>
/// <remarks>A row of 4096 inputs would else take 512 or 4096 reads of a few bytes.</remarks>
internal sealed class PackedColumns(TensorReader reader, TensorHeader tensor)
{
    private readonly Lock gate = new();
    private readonly WeakReference<uint[]?> kept = new(null);

    /// <exception cref="CheckpointFormatException">The tensor is larger than an array can be.</exception>
    public uint[] Words()
    {
        lock (gate)
        {
            if (!kept.TryGetTarget(out var words))
                kept.SetTarget(words = SideTensor.Words(reader, tensor));
            return words;
        }
    }
}
