using Plimsoll.Numerics;
using Plimsoll.Numerics.Blocks;
using Plimsoll.Numerics.Codecs;
using Plimsoll.Quantization.Gguf;

namespace Plimsoll.Quantization.Allocation;

/// <summary>What rounding a tensor to a type changes in its outputs: Σ h · (w − ŵ)² over its weights, h being the mean square of the activation that meets the column.</summary>
/// <remarks>Estimated from rows that are spread evenly. Without importances every h is 1.</remarks>
internal static class TensorErrors
{
    private const int SampleRows = 128;

    public static double Measure(GgufSource source, NumberFormat type, ReadOnlyMemory<float> importance)
    {
        var (rows, length) = (source.Rows.Rows, checked((int)source.Rows.RowLength));
        var sample = (int)Math.Min(rows, SampleRows);
        var matrixRows = rows / Math.Max(1, source.Tensor.Matrices);
        var (values, decoded, blocks) = (new float[length], new float[length], new byte[type.BytesFor(length)]);
        var sum = 0.0;
        for (var index = 0; index < sample; index++)
        {
            var row = index * rows / sample;
            var weights = importance.IsEmpty ? default : importance.Span.Slice((int)(row / matrixRows) * length, length);
            source.Rows.Read(row, values);
            Round(type, values, weights, blocks, decoded);
            sum += Weighted(values, decoded, weights);
        }
        return sum * rows / sample;
    }

    /// <summary>Encodes a row and decodes it again.</summary>
    /// <param name="blocks">Receives its bytes.</param>
    public static void Round(NumberFormat type, ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks, Span<float> decoded)
    {
        if (BlockCodecs.Find(type) is { } codec)
        {
            codec.Encode(values, values.Length, blocks, importance);
            codec.Decode(blocks, decoded);
            return;
        }
        ElementCodec.Encode(type, values, blocks);
        ElementCodec.Decode(type, blocks, decoded);
    }

    private static double Weighted(ReadOnlySpan<float> values, ReadOnlySpan<float> decoded, ReadOnlySpan<float> importance)
    {
        var sum = 0.0;
        for (var column = 0; column < values.Length; column++)
        {
            double error = values[column] - decoded[column];
            sum += error * error * (importance.IsEmpty ? 1 : importance[column]);
        }
        return sum;
    }
}
