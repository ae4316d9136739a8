using System.Runtime.InteropServices;

namespace Plimsoll.Checkpoints.Data;

/// <summary>The packed words (lines, columns) of a layer whose rows lie across the whole tensor, as GPTQ and AWQ have them: a row is a column of words.</summary>
/// <remarks>
/// A band of columns is read line by line. For few columns, a row of 4096 inputs would take as many reads of a few bytes: then the tensor is read whole, and kept
/// as long as memory is not needed otherwise.
/// </remarks>
internal sealed class PackedColumns(TensorReader reader, TensorHeader tensor)
{
    /// <summary>Words of a line from which on it is read by itself.</summary>
    private const int LeastWords = 16;

    private readonly Lock gate = new();
    private readonly WeakReference<uint[]?> kept = new(null);
    private readonly int lines = checked((int)tensor.Dimensions[0]);
    private readonly int columns = checked((int)tensor.Dimensions[1]);

    /// <summary>The words of columns [<paramref name="first"/>, …).</summary>
    /// <param name="words">(lines, <paramref name="count"/>).</param>
    /// <exception cref="CheckpointFormatException">The tensor is larger than an array can be.</exception>
    public void Read(int first, int count, Span<uint> words)
    {
        var all = count < Math.Min(LeastWords, columns) ? All() : null;
        for (var line = 0; line < lines; line++)
        {
            var (target, at) = (line * count, line * (long)columns + first);
            if (all is not null)
                all.AsSpan((int)at, count).CopyTo(words[target..]);
            else
                reader.Read(tensor, at * sizeof(uint), MemoryMarshal.AsBytes(words.Slice(target, count)));
        }
    }

    private uint[] All()
    {
        lock (gate)
        {
            if (!kept.TryGetTarget(out var words))
                kept.SetTarget(words = SideTensor.Words(reader, tensor));
            return words;
        }
    }
}
