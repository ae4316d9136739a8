using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Plimsoll.Evaluation;

/// <summary>Compares predictions with those of a base, row by row.</summary>
internal sealed class DivergenceMeter
{
    private readonly List<float> _divergences = [];
    private RunningMean _mean;
    private RunningMean _sameTop;
    private RunningMean _squaredChange;
    private RunningMean _logRatio;

    /// <param name="reference">The base's row: log-probabilities up to a constant.</param>
    /// <param name="referenceTarget">The base's log-probability of the token that came, exact.</param>
    public void Add(ReadOnlySpan<float> logits, LogitRow row, int target, ReadOnlySpan<float> reference, int referenceTop, double referenceTarget)
    {
        var divergence = KullbackLeibler(reference, logits, row.LogSum);
        var logProbability = row.LogProbability(logits[target]);
        var change = Math.Exp(logProbability) - Math.Exp(referenceTarget);
        _divergences.Add((float)divergence);
        _mean.Add(divergence);
        _sameTop.Add(row.Top == referenceTop ? 1 : 0);
        _squaredChange.Add(change * change);
        _logRatio.Add(referenceTarget - logProbability);
    }

    public Divergence Result()
    {
        _divergences.Sort();
        return new()
        {
            Mean = _mean.Estimate,
            Median = Percentile(0.5),
            Percentile99 = Percentile(0.99),
            Max = _divergences[^1],
            SameTop = _sameTop.Estimate,
            RmsProbabilityChange = Math.Sqrt(_squaredChange.Estimate.Value),
            LogPerplexityRatio = _logRatio.Estimate,
        };
    }

    /// <summary>Between neighbours, linear.</summary>
    private double Percentile(double fraction)
    {
        var place = fraction * (_divergences.Count - 1);
        var below = (int)place;
        return _divergences[below] + (place - below) * (_divergences[Math.Min(below + 1, _divergences.Count - 1)] - _divergences[below]);
    }

    /// <summary>
    /// Σ p · ln(p / q) with p = e^x / S, S = Σ e^x, and ln q = z − Z: (Σ e^x · (x − z)) / S − ln S + Z. The base's row x need not be normalized, so that
    /// rounding it neither adds to the divergence nor makes it negative to first order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double KullbackLeibler(ReadOnlySpan<float> reference, ReadOnlySpan<float> logits, double logSum)
    {
        var (sum, weighted) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var whole = reference.Length - reference.Length % Vector256<float>.Count;
        var x = MemoryMarshal.Cast<float, Vector256<float>>(reference[..whole]);
        var z = MemoryMarshal.Cast<float, Vector256<float>>(logits[..whole]);
        for (var index = 0; index < x.Length; index++)
        {
            var (low, high) = Vector256.Widen(Vector256.Exp(x[index]));
            var (lowDifference, highDifference) = Vector256.Widen(x[index] - z[index]);
            sum += low + high;
            weighted += low * lowDifference + high * highDifference;
        }
        var (total, totalWeighted) = (Vector256.Sum(sum), Vector256.Sum(weighted));
        for (var index = whole; index < reference.Length; index++)
        {
            double weight = MathF.Exp(reference[index]);
            total += weight;
            totalWeighted += weight * (reference[index] - logits[index]);
        }
        // Never negative but by rounding.
        return Math.Max(0, totalWeighted / total - Math.Log(total) + logSum);
    }
}
