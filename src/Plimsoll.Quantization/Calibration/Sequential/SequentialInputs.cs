using System.Collections.Immutable;
using Plimsoll.Quantization.ErrorFeedback;

namespace Plimsoll.Quantization.Calibration.Sequential;

/// <summary>What the matrices of one tensor are given.</summary>
/// <param name="Importance">The mean square of each column, of one matrix after the other; 1 for a matrix that no token was routed to.</param>
/// <param name="Factors">Of each matrix; null where it was given nothing, or what cannot be inverted.</param>
internal sealed record SequentialInputs(ReadOnlyMemory<float> Importance, ImmutableArray<FeedbackFactor?> Factors);
