using Plimsoll.Evaluation;
using Plimsoll.Quantization.Allocation;

namespace Plimsoll.Cli.Quantize.Sizing;

/// <summary>What became of a size that was asked for.</summary>
/// <param name="HeaderBytes">What the file has before its tensors.</param>
/// <param name="LeastBytes">Bytes of the tensors when each is as small as it can be.</param>
/// <param name="Weights">Weights of all tensors.</param>
/// <param name="Predictions">How many predictions were compared, on text that nothing was learnt from.</param>
/// <param name="Divergence">Of the file that was written.</param>
/// <param name="Standard">llama.cpp's own mixture that is expected to be best within the same bytes; null where none fits.</param>
internal sealed record SizingResult(SizeGoal Goal, GgufAllocation Allocation, long HeaderBytes, long LeastBytes, long Weights, int Predictions, Divergence Divergence, StandardMixture? Standard);

/// <summary>A mixture of llama.cpp beside the chosen types, rounded by the same method.</summary>
internal sealed record StandardMixture(string Name, GgufAllocation Allocation, Divergence Divergence);
