using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;

namespace Plimsoll.Quantization.Output;

/// <summary>One unit of a quantization run: the rows of one source parameter go in, the bytes of one or several tensors of the output come out.</summary>
/// <remarks>
/// The runner reads rows, refuses what is not finite, and calls <see cref="EncodeRows"/> from several threads for disjoint ranges of rows. The buffers of
/// the outputs are whole, so any layout can be written; they and one piece of rows per thread are all the memory of a job. The bytes must depend
/// neither on the number of threads nor on how the rows were cut.
/// </remarks>
public abstract class WeightJob
{
    /// <summary>The name of the source parameter, for progress, messages and the report.</summary>
    public abstract string Name { get; }

    /// <summary>What the job writes, in the order of the buffers.</summary>
    public abstract ImmutableArray<OutputTensor> Outputs { get; }

    /// <summary>How the weights are stored afterwards, for the report: <c>Q4_K</c>, <c>GPTQ 4-bit, group 128</c>.</summary>
    public virtual string TypeName => Outputs[0].Format.Name;

    /// <summary>Rows of the source as <see cref="ReadRows"/> gives them: output order, permutations applied.</summary>
    public abstract long Rows { get; }

    public abstract long RowLength { get; }

    /// <summary>Ranges of rows begin at multiples of this: 8 where eight output channels share a word.</summary>
    public virtual int RowAlignment => 1;

    /// <summary>Jobs of a file are done by rising order, and in their own where it is the same.</summary>
    public virtual int Order => 0;

    /// <summary>How long a weight takes beside one that is encoded without data: for progress and the time that is left.</summary>
    public virtual int Effort => 1;

    /// <summary>Whether <see cref="Follow"/> is called.</summary>
    public virtual bool IsFollowed => false;

    /// <summary>Whether all rows are read once, through <see cref="Observe"/>, before the first is encoded: for scales of a whole tensor.</summary>
    public virtual bool NeedsObservation => false;

    /// <summary>The stored parameters that it reads; their bytes are fetched ahead while the job before is busy.</summary>
    public virtual IEnumerable<StoredWeight> Sources => [];

    /// <summary>Called once before the first row is encoded, on the thread that carries out the plan.</summary>
    public virtual void Prepare()
    {
    }

    /// <summary>Sees what is written: behind its encoding, or when an earlier run had written it; jobs that come later may depend on it.</summary>
    public virtual void Follow(OutputBuffers outputs)
    {
    }

    /// <summary>Reads rows of the source as floats; safe from several threads.</summary>
    public abstract void ReadRows(long firstRow, Span<float> values);

    /// <summary>Sees every row before encoding begins; called from several threads.</summary>
    public virtual void Observe(long firstRow, ReadOnlySpan<float> values)
    {
    }

    /// <summary>Encodes rows into the whole buffers of the outputs.</summary>
    public abstract void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs);

    /// <summary>What the encoded rows stand for, for the error in the report; called after <see cref="EncodeRows"/> for the same range.</summary>
    public abstract void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs);

    /// <summary>Called once, when all rows are encoded and before the buffers are written.</summary>
    public virtual void Complete(OutputBuffers outputs)
    {
    }
}
