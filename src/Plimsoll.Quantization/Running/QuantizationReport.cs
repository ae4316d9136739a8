using System.Collections.Immutable;

namespace Plimsoll.Quantization.Running;

/// <summary>What became of one parameter.</summary>
/// <param name="Name">The source parameter.</param>
/// <param name="Type">How it is stored now.</param>
/// <param name="Weights">How many weights it has.</param>
/// <param name="Bytes">Bytes of all tensors that hold it.</param>
/// <param name="ErrorSum">Σ (x − y)² over its weights x and what they became, y.</param>
/// <param name="SquareSum">Σ x²</param>
/// <param name="NonFinite">Weights that were no finite numbers and count as 0.</param>
public sealed record QuantizedTensor(string Name, string Type, long Weights, long Bytes, double ErrorSum, double SquareSum, long NonFinite)
{
    public double BitsPerWeight => Weights == 0 ? 0 : 8.0 * Bytes / Weights;

    /// <summary>Root of the mean squared error.</summary>
    public double RootMeanSquareError => Weights == 0 ? 0 : Math.Sqrt(ErrorSum / Weights);

    /// <summary>Σ (x − y)² ÷ Σ x²; 0 where all weights are 0.</summary>
    public double RelativeError => SquareSum > 0 ? ErrorSum / SquareSum : 0;
}

/// <summary>What a run did.</summary>
/// <param name="Files">The weight files that were written.</param>
/// <param name="FileBytes">Bytes of those files, headers and padding included.</param>
/// <param name="Elapsed">From the first tensor to the rename.</param>
/// <param name="PeakBytes">The most memory that the process had, as the system counts it.</param>
/// <param name="ResumedTensors">How many tensors an earlier run had written.</param>
public sealed record QuantizationReport(
    ImmutableArray<string> Files, ImmutableArray<QuantizedTensor> Tensors, long FileBytes, TimeSpan Elapsed, RunPlan Plan, long PeakBytes, int ResumedTensors)
{
    public long Weights => Tensors.Sum(tensor => tensor.Weights);

    public double BitsPerWeight => Weights == 0 ? 0 : 8.0 * Tensors.Sum(tensor => tensor.Bytes) / Weights;

    public long NonFinite => Tensors.Sum(tensor => tensor.NonFinite);

    /// <summary>The error of all weights together.</summary>
    public double RelativeError => Tensors.Sum(tensor => tensor.SquareSum) is > 0 and var squares ? Tensors.Sum(tensor => tensor.ErrorSum) / squares : 0;
}
