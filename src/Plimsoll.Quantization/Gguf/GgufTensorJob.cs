using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.Gguf.Rows;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Gguf;

/// <summary>Encodes one tensor of a GGUF file.</summary>
/// <param name="codec">The codec of a block format; null for plain numbers.</param>
/// <param name="importance">A weight per column, of one matrix after the other; empty for none.</param>
/// <param name="feedback">Of each matrix; default to round to nearest.</param>
internal sealed class GgufTensorJob(OutputTensor output, GgufSource source, BlockCodec? codec, ReadOnlyMemory<float> importance, BlockSearch search, ImmutableArray<FeedbackEncoder?> feedback = default) : WeightJob
{
    private readonly TensorRows rows = source.Rows;

    private readonly int _rowBytes = checked((int)output.Format.BytesFor(source.Rows.RowLength));

    /// <summary>Rows of one matrix of a stack; its columns have importances of their own.</summary>
    private readonly long _matrixRows = source.Rows.Dimensions.Length > 1 ? source.Rows.Dimensions[^2] : 1;

    public override string Name => output.Name;

    public override ImmutableArray<OutputTensor> Outputs { get; } = [output];

    public override long Rows => rows.Rows;

    public override long RowLength => rows.RowLength;

    /// <summary>Rows that are rounded with feedback are taken together.</summary>
    public override int RowAlignment => feedback.IsDefault ? 1 : FeedbackEncoder.Lanes;

    public override IEnumerable<StoredWeight> Sources => source.Sources;

    public override void ReadRows(long firstRow, Span<float> values) => rows.Read(firstRow, values);

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        var length = (int)RowLength;
        while (!values.IsEmpty)
        {
            var count = (int)Math.Min(_matrixRows - firstRow % _matrixRows, values.Length / length);
            var piece = values[..(count * length)];
            Encode(piece, firstRow / _matrixRows, outputs.Range(0, firstRow * _rowBytes, count * _rowBytes));
            values = values[piece.Length..];
            firstRow += count;
        }
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs)
    {
        var bytes = outputs.Range(0, firstRow * _rowBytes, values.Length / (int)RowLength * _rowBytes);
        if (codec is not null)
            codec.Decode(bytes, values);
        else
            ElementCodec.Decode(output.Format, bytes, values);
    }

    private void Encode(ReadOnlySpan<float> values, long matrix, Span<byte> bytes)
    {
        if (codec is not null)
        {
            var weights = importance.IsEmpty ? default : importance.Span.Slice((int)(matrix * RowLength), (int)RowLength);
            if (!feedback.IsDefault && feedback[(int)matrix] is { } encoder)
                encoder.Encode(values, bytes, weights, search);
            else
                codec.Encode(values, (int)RowLength, bytes, weights, search);
        }
        else
        {
            ElementCodec.Encode(output.Format, values, bytes);
        }
    }
}
