namespace Plimsoll.Diagnostics.Growth;

/// <summary>Growth in equal steps, as allocators that take memory in pieces (PyTorch: 2 and 20 MiB) show it.</summary>
/// <param name="StepBytes">The usual step.</param>
/// <param name="Interval">Seconds, steps or tokens from one to the next.</param>
/// <param name="Count">Steps seen.</param>
public sealed record Staircase(double StepBytes, double Interval, int Count)
{
    private const int FewestSteps = 4;

    /// <summary>Most samples of a staircase change nothing.</summary>
    private const double StillShare = 0.6;

    /// <summary>Steps are equal when they are within this share of the usual one.</summary>
    private const double Tolerance = 0.1;

    /// <summary>Null where the series does not rise in equal steps and stand still between them.</summary>
    internal static Staircase? Find(ReadOnlySpan<double> at, ReadOnlySpan<double> bytes)
    {
        var steps = new List<double>();
        double? first = null;
        double last = 0;
        for (var index = 1; index < bytes.Length; index++)
        {
            var change = bytes[index] - bytes[index - 1];
            if (change == 0)
                continue;
            if (change < 0)
                return null;
            steps.Add(change);
            first ??= at[index];
            last = at[index];
        }
        if (steps.Count < FewestSteps || steps.Count > (1 - StillShare) * bytes.Length)
            return null;
        steps.Sort();
        var usual = Trend.Median(steps);
        var equal = steps.Count(step => Math.Abs(step - usual) <= Tolerance * usual);
        return equal >= 0.8 * steps.Count ? new(usual, (last - first!.Value) / (steps.Count - 1), steps.Count) : null;
    }
}
