using System.Collections.Immutable;
using Plimsoll.Quantization.Calibration;

namespace Plimsoll.Quantization.ErrorFeedback;

/// <summary>From what was seen of the inputs to how errors make up for each other.</summary>
public static class CalibratedFeedback
{
    /// <summary>The factors by tensor, for each of its matrices: null for one without inputs. The statistics lose their Gram matrices on the way.</summary>
    /// <remarks>Layers that share inputs share a factor.</remarks>
    /// <param name="progress">Called with the number of tensors done.</param>
    public static IReadOnlyDictionary<string, ImmutableArray<FeedbackFactor?>> Create(ImmutableArray<CalibratedTensor> tensors, int threads, Action<int> progress, CancellationToken cancellation)
    {
        var factors = new Dictionary<InputStatistics, FeedbackFactor?>();
        var byName = new Dictionary<string, ImmutableArray<FeedbackFactor?>>(StringComparer.Ordinal);
        foreach (var tensor in tensors)
        {
            byName[tensor.Name] = [.. tensor.Matrices.Select(Factor)];
            progress(byName.Count);
        }
        return byName;

        FeedbackFactor? Factor(InputStatistics? inputs)
        {
            cancellation.ThrowIfCancellationRequested();
            if (inputs is null)
                return null;
            if (factors.TryGetValue(inputs, out var known))
                return known;
            known = factors[inputs] = FeedbackFactor.Create(inputs.Gram, inputs.Columns, threads);
            inputs.ReleaseGram();
            return known;
        }
    }
}
