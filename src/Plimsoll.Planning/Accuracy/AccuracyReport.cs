using System.Collections.Immutable;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Errors over a set of measured cases, by group and by quantity.</summary>
/// <param name="Results">One entry per measured figure.</param>
public sealed record AccuracyReport(ImmutableArray<CaseResult> Results)
{
    /// <summary>One line per source of cases.</summary>
    public ImmutableArray<AccuracyGroup> Groups => [.. Results.GroupBy(result => result.Group).Select(group => AccuracyGroup.Of(group.Key, group))];

    /// <summary>One line per source and measured quantity.</summary>
    public ImmutableArray<AccuracyGroup> Quantities => [.. Results.GroupBy(result => $"{result.Group} {result.Quantity}").Select(group => AccuracyGroup.Of(group.Key, group))];

    /// <summary>One line per kind of case: inference, training, throughput.</summary>
    public ImmutableArray<AccuracyGroup> Kinds => [.. Results.GroupBy(result => result.Kind).Select(group => AccuracyGroup.Of($"all {group.Key}", group))];

    public AccuracyGroup All => AccuracyGroup.Of("all", Results);
}

/// <summary>Error statistics of one group. Errors are fractions of the measured value.</summary>
/// <param name="Cases">Different case ids.</param>
/// <param name="Predicted">Cases of which at least one figure was predicted.</param>
/// <param name="Refused">Cases of which the planner predicted nothing.</param>
/// <param name="Figures">Measured figures of the group; a case may have several.</param>
/// <param name="FiguresPredicted">Those that were predicted.</param>
/// <param name="WithinTenPercent">Fraction of the predicted figures whose error is at most 10 %.</param>
/// <param name="WithinBounds">Fraction of the predicted figures that lie between low and high.</param>
public sealed record AccuracyGroup(
    string Group, int Cases, int Predicted, int Refused, int Figures, int FiguresPredicted,
    double? MedianAbsoluteError, double? P90AbsoluteError, double? WithinTenPercent, double? WithinBounds)
{
    internal static AccuracyGroup Of(string name, IEnumerable<CaseResult> results)
    {
        var all = results.ToList();
        var ids = all.GroupBy(result => result.Id).ToList();
        var predicted = ids.Count(id => id.Any(result => result.RefusedBecause is null));
        var errors = all.Where(result => result.Error is not null).Select(result => Math.Abs(result.Error!.Value)).Order().ToList();
        var bounds = all.Where(result => result.InBounds is not null).Select(result => result.InBounds!.Value).ToList();
        return new(
            name, ids.Count, predicted, ids.Count - predicted, all.Count, all.Count(result => result.RefusedBecause is null),
            Quantile(errors, 0.5), Quantile(errors, 0.9),
            errors.Count == 0 ? null : errors.Count(error => error <= 0.1) / (double)errors.Count,
            bounds.Count == 0 ? null : bounds.Count(inside => inside) / (double)bounds.Count);
    }

    /// <summary>The quantile of sorted values by linear interpolation between ranks.</summary>
    private static double? Quantile(List<double> sorted, double quantile)
    {
        if (sorted.Count == 0)
            return null;
        var rank = quantile * (sorted.Count - 1);
        var below = (int)rank;
        var above = Math.Min(below + 1, sorted.Count - 1);
        return sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
    }
}
