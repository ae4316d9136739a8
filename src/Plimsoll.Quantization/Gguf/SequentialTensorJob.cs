using System.Collections.Immutable;
using Plimsoll.Checkpoints.Data;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Quantization.Calibration.Sequential;
using Plimsoll.Quantization.ErrorFeedback;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.Gguf;

/// <summary>Encodes one tensor of a GGUF file with what the layers before it, as they are written, give it.</summary>
internal sealed class SequentialTensorJob(OutputTensor output, GgufSource source, BlockCodec codec, BlockSearch search, SequentialCalibration calibration) : WeightJob
{
    /// <summary>Multiplications in the time in which a weight is encoded without data.</summary>
    private const int ProductsOfEncoding = 1000;

    private GgufTensorJob job = new(output, source, codec, default, search);

    public override string Name => output.Name;

    public override ImmutableArray<OutputTensor> Outputs => job.Outputs;

    public override long Rows => job.Rows;

    public override long RowLength => job.RowLength;

    /// <summary>Rows that are rounded with feedback are taken together.</summary>
    public override int RowAlignment => FeedbackEncoder.Lanes;

    public override int Order => calibration.OrderOf(source.Tensor);

    public override int Effort => (int)Math.Min(int.MaxValue, 1 + calibration.ProductsPerWeight(source.Tensor) / ProductsOfEncoding);

    public override bool IsFollowed => true;

    public override IEnumerable<StoredWeight> Sources => source.Sources;

    public override void Prepare()
    {
        var inputs = calibration.InputsOf(source);
        job = new(output, source, codec, inputs.Importance, search, codec is IBlockGrid grid ? [.. inputs.Factors.Select(factor => factor is null ? null : new FeedbackEncoder(factor, codec, grid))] : default);
    }

    public override void Follow(OutputBuffers outputs)
    {
        // What was needed to round is let go of before the rounded weights are read.
        job = new(output, source, codec, default, search);
        calibration.Follow(source, (row, values) => DecodeRows(row, values, outputs));
    }

    public override void ReadRows(long firstRow, Span<float> values) => job.ReadRows(firstRow, values);

    public override void EncodeRows(long firstRow, ReadOnlySpan<float> values, OutputBuffers outputs) => job.EncodeRows(firstRow, values, outputs);

    public override void DecodeRows(long firstRow, Span<float> values, OutputBuffers outputs) => job.DecodeRows(firstRow, values, outputs);
}
