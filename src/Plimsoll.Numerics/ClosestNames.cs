namespace Plimsoll.Numerics;

/// <summary>"Did you mean": the known names that look most like what someone typed.</summary>
public static class ClosestNames
{
    /// <summary>Up to <paramref name="count"/> of the known names, best first; empty when nothing is near.</summary>
    /// <remarks>
    /// Ignores case. Names that begin with or contain what was asked (or the other way round) come before those that are merely a few
    /// typing errors away, and equally near ones keep the order in which they are known. The distance counts insertions, deletions,
    /// substitutions and swaps of neighbours (Damerau–Levenshtein, optimal string alignment); more than half the asked length is not near.
    /// </remarks>
    public static IReadOnlyList<string> Find(string asked, IEnumerable<string> known, int count = 3)
    {
        asked = asked.Trim().ToLowerInvariant();
        if (asked.Length == 0)
            return [];
        return
        [
            .. known.Distinct(StringComparer.OrdinalIgnoreCase)
                .Select(name => (name, score: Score(asked, name.ToLowerInvariant())))
                .Where(candidate => candidate.score is not null)
                .OrderBy(candidate => candidate.score)
                .Take(count)
                .Select(candidate => candidate.name),
        ];
    }

    /// <summary>Smaller is nearer: a plain distance, or for contained names a fraction of the unmatched length. Null is not near.</summary>
    private static double? Score(string asked, string name)
    {
        var distance = Distance(asked, name);
        var shorter = Math.Min(asked.Length, name.Length);
        if (shorter >= 2 && (name.StartsWith(asked, StringComparison.Ordinal) || asked.StartsWith(name, StringComparison.Ordinal)))
            return Math.Min(distance, 1 + distance / 16.0);
        if (shorter >= 3 && (name.Contains(asked, StringComparison.Ordinal) || asked.Contains(name, StringComparison.Ordinal)))
            return Math.Min(distance, 1.5 + distance / 16.0);
        return distance <= Math.Max(1, asked.Length / 2) ? distance : null;
    }

    /// <summary>Optimal string alignment distance, with three rows of the table.</summary>
    internal static int Distance(string left, string right)
    {
        var before = new int[right.Length + 1];
        var previous = new int[right.Length + 1];
        var current = new int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++)
            previous[column] = column;

        for (var row = 1; row <= left.Length; row++)
        {
            current[0] = row;
            for (var column = 1; column <= right.Length; column++)
            {
                var substitution = previous[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1);
                current[column] = Math.Min(substitution, Math.Min(previous[column], current[column - 1]) + 1);
                if (row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1])
                    current[column] = Math.Min(current[column], before[column - 2] + 1);
            }
            (before, previous, current) = (previous, current, before);
        }
        return previous[right.Length];
    }
}
