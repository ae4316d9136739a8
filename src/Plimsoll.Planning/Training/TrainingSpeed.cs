using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Speed;

namespace Plimsoll.Planning.Training;

/// <summary>Tokens per second of a training run: operations per token against the matrix rate of the GPUs and the part of it that runs reach.</summary>
/// <remarks>
/// Operations per parameter and token: 2 forward, 2 for the gradients of the inputs, 2 for the gradients of the weights (none for frozen weights), and 2 more where the forward
/// pass is computed again (Kaplan et al. 2020, Chowdhery et al. 2022 appendix B). No training speed of the shared cases is stated with enough settings to fit the utilization, so the
/// bounds are wide: 0.46 is reported for PaLM, 0.38 to 0.43 for Llama 3 405B; fine-tuning small batches on one card often stays below 0.3.
/// </remarks>
public static class TrainingSpeed
{
    private const double LowUtilization = 0.15;
    private const double Utilization = 0.35;
    private const double HighUtilization = 0.5;

    /// <summary>What tensor cores lose when 4-bit weights are unpacked before every product.</summary>
    private const double QloraFactor = 0.75;

    /// <returns>Null when the catalog has no matrix rate for the compute type.</returns>
    public static SpeedEstimate? Estimate(TrainingRequest request, GpuSpec gpu, int count)
    {
        var rate = request.Compute switch
        {
            ComputeType.Bf16 => gpu.Rate(RateKind.Bf16) ?? gpu.Rate(RateKind.Fp16),
            ComputeType.Fp16 => gpu.Rate(RateKind.Fp16),
            _ => gpu.Rate(RateKind.Tf32) ?? gpu.Rate(RateKind.Fp32),
        };
        if (rate is not { } teraflops)
            return null;
        var passes = request.Method == TrainingMethod.Full ? 6.0 : 4.0;
        passes += request.Checkpointing switch { Checkpointing.Full => 2, Checkpointing.Selective => 1, _ => 0 };
        var matrices = request.Model.Tensors.Where(tensor => tensor.IsLinear && tensor.Role is not (TensorRole.Embedding or TensorRole.Tower or TensorRole.NextToken)).Sum(tensor => (double)tensor.ActiveElements);
        var attention = request.Model.Layers.Select(layer => layer.Attention).OfType<AttentionShape>()
            .Sum(layer => 2.0 * layer.Heads * (layer.KeyHeadDim + layer.ValueHeadDim) * Math.Min(layer.Window ?? request.SequenceLength, request.SequenceLength) / 2);
        var operations = passes * matrices + passes / 2 * attention;
        var best = count * teraflops * 1e12 / operations * (request.Method == TrainingMethod.Qlora ? QloraFactor : 1);
        return new(best * LowUtilization, best * Utilization, best * HighUtilization)
        {
            Notes = [string.Create(CultureInfo.InvariantCulture, $"{passes:0} operations per parameter at {Utilization:P0} of {teraflops:0} TFLOPS; not fitted on measurements")],
        };
    }
}
