using System.Collections.Immutable;
using Plimsoll.Numerics;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace.Layers.Integers;

/// <summary>Where a layout of integers puts the codes, scales and zero points of a layer. It does not choose them: whoever does hands them over as <see cref="IntegerRows"/>.</summary>
internal abstract class IntegerPacking(long outputs, long inputs, int bits, int groupLength, NumberFormat scaleFormat)
{
    public int Rows { get; } = checked((int)outputs);

    public int Columns { get; } = checked((int)inputs);

    public int Bits => bits;

    /// <summary>Columns that share a scale.</summary>
    public int GroupLength { get; } = groupLength < 0 ? checked((int)inputs) : groupLength;

    public int Groups => (Columns + GroupLength - 1) / GroupLength;

    /// <summary>The format of the stored scales.</summary>
    public NumberFormat ScaleFormat => scaleFormat;

    /// <summary>The zero points that the layout can store; equal numbers for symmetric codes.</summary>
    public abstract (int Lowest, int Highest) ZeroPoints { get; }

    public abstract ImmutableArray<OutputTensor> Outputs { get; }

    /// <summary>Ranges of rows begin at multiples of this.</summary>
    public virtual int RowAlignment => 1;

    /// <summary>Writes rows [<paramref name="firstRow"/>, …) into the whole buffers of <see cref="Outputs"/>.</summary>
    public abstract void Write(long firstRow, IntegerRows rows, OutputBuffers outputs);

    /// <summary>Reads back what <see cref="Write"/> wrote.</summary>
    public abstract void Read(long firstRow, IntegerRows rows, OutputBuffers outputs);

    /// <summary>Writes what does not depend on the weights: shapes, indices.</summary>
    public virtual void Complete(OutputBuffers outputs)
    {
    }

    /// <summary>A scale as it will be read back.</summary>
    public virtual float Stored(float scale)
    {
        Span<byte> code = stackalloc byte[scaleFormat.BlockBytes];
        Span<float> stored = stackalloc float[1];
        ElementCodec.Encode(scaleFormat, [scale], code, FloatOverflow.Saturate);
        ElementCodec.Decode(scaleFormat, code, stored);
        return stored[0];
    }

    /// <summary>Copies (rows, groups) scales to a buffer that holds them as (groups, all rows).</summary>
    protected void WriteScaleColumns(int output, long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        var size = scaleFormat.BlockBytes;
        Span<float> column = new float[rows.Count];
        for (var group = 0; group < Groups; group++)
        {
            for (var row = 0; row < rows.Count; row++)
                column[row] = rows.Scales[row * Groups + group];
            ElementCodec.Encode(scaleFormat, column, outputs.Range(output, (group * (long)Rows + firstRow) * size, rows.Count * size), FloatOverflow.Saturate);
        }
    }

    /// <summary>The reverse of <see cref="WriteScaleColumns"/>.</summary>
    protected void ReadScaleColumns(int output, long firstRow, IntegerRows rows, OutputBuffers outputs)
    {
        var size = scaleFormat.BlockBytes;
        Span<float> column = new float[rows.Count];
        for (var group = 0; group < Groups; group++)
        {
            ElementCodec.Decode(scaleFormat, outputs.Range(output, (group * (long)Rows + firstRow) * size, rows.Count * size), column);
            for (var row = 0; row < rows.Count; row++)
                rows.Scales[row * Groups + group] = column[row];
        }
    }
}
