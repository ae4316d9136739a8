using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Quantization.Gguf.Rows;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Gguf;

/// <summary>Moves the codes and scales of quantized layers into ggml blocks, rows in llama.cpp's order: no weight changes.</summary>
internal sealed class GgufTranscodeJob : WeightJob
{
    private readonly GgufSource source;
    private readonly TensorRows rows;
    private readonly BlockTranscoder transcoder;
    private readonly BlockCodec codec;
    private readonly int rowBytes;

    private GgufTranscodeJob(OutputTensor output, GgufSource source, BlockTranscoder transcoder, BlockCodec codec)
    {
        (this.source, rows, this.transcoder, this.codec, Outputs) = (source, source.Rows, transcoder, codec, [output]);
        rowBytes = checked((int)output.Format.BytesFor(rows.RowLength));
    }

    public override string Name => Outputs[0].Name;

    public override ImmutableArray<OutputTensor> Outputs { get; }

    public override long Rows => rows.Rows;

    public override long RowLength => rows.RowLength;

    /// <summary>The job, where the type holds every weight of the sources as it is and the rows are rows of theirs; else null.</summary>
    public static GgufTranscodeJob? Create(OutputTensor output, GgufSource source)
    {
        if (BlockTranscoder.To(output.Format) is not { } transcoder || BlockCodecs.Find(output.Format) is not { } codec || source.Sources.IsEmpty)
            return null;
        var isWhole = source.Rows.Rows > 0 && source.Rows.OriginOf(0) is not null && source.Rows.OriginOf(source.Rows.Rows - 1) is not null;
        return isWhole && source.Sources.All(layer => layer.RowLength == source.Rows.RowLength && transcoder.Accepts(layer)) ? new(output, source, transcoder, codec) : null;
    }

    public override IEnumerable<StoredWeight> Sources => source.Sources;

    public override void ReadRows(long firstRow, Span<float> values) => rows.Read(firstRow, values);

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs)
    {
        var count = (int)(values.Length / RowLength);
        var blocks = outputs.Range(0, firstRow * rowBytes, count * rowBytes);
        for (var at = 0; at < count;)
        {
            var origin = rows.OriginOf(firstRow + at)!.Value;
            var run = 1;
            while (at + run < count && rows.OriginOf(firstRow + at + run) == origin with { Row = origin.Row + run })
                run++;
            transcoder.Write(origin.Weight, origin.Row, run, blocks.Slice(at * rowBytes, run * rowBytes));
            at += run;
        }
    }

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs) =>
        codec.Decode(outputs.Range(0, firstRow * rowBytes, (int)(values.Length / RowLength) * rowBytes), values);
}
