using System.Collections.Immutable;
using Plimsoll.Cli.Quantize.Sizing;
using Plimsoll.Quantization.Running;

namespace Plimsoll.Cli.Quantize;

/// <summary>What <c>quantize</c> answers.</summary>
/// <param name="Output">The file or folder, as it was asked for.</param>
/// <param name="SourceBytes">Bytes of the tensors that were read.</param>
/// <param name="Notes">What the plan had to say.</param>
/// <param name="Sizing">What the choice of types for a size has brought; null where they were given.</param>
internal sealed record QuantizeResult(string Output, string Format, long SourceBytes, int Threads, ImmutableArray<string> Notes, QuantizationReport Report, SizingResult? Sizing)
{
    /// <summary>Tensors of the same type together, most bytes first.</summary>
    public IEnumerable<QuantizeTypeLine> Types => Report.Tensors.GroupBy(tensor => tensor.Type, StringComparer.Ordinal)
        .Select(group => new QuantizeTypeLine(group.Key, [.. group]))
        .OrderByDescending(line => line.Bytes);

    /// <summary>The tensors that lost most of themselves.</summary>
    public IEnumerable<QuantizedTensor> Worst => Report.Tensors.Where(tensor => tensor.RelativeError > 0).OrderByDescending(tensor => tensor.RelativeError).Take(5);
}

/// <summary>All tensors of one type.</summary>
internal sealed record QuantizeTypeLine(string Type, ImmutableArray<QuantizedTensor> Tensors)
{
    public long Weights => Tensors.Sum(tensor => tensor.Weights);

    public long Bytes => Tensors.Sum(tensor => tensor.Bytes);

    public double BitsPerWeight => Weights == 0 ? 0 : 8.0 * Bytes / Weights;

    public double RelativeError => Tensors.Sum(tensor => tensor.SquareSum) is > 0 and var squares ? Tensors.Sum(tensor => tensor.ErrorSum) / squares : 0;
}
