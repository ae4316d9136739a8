namespace Plimsoll.Models;

/// <summary>The known words that a mistyped one most likely meant.</summary>
internal static class ClosestWords
{
    /// <summary>At most <paramref name="count"/> words, nearest first: by edit distance, at most a third of the word's length, or half where they begin alike.</summary>
    public static IReadOnlyList<string> Find(string word, IEnumerable<string> known, int count)
    {
        var asked = word.ToLowerInvariant();
        return known
            .Select(candidate => (candidate, distance: Distance(asked, candidate.ToLowerInvariant()), alike: CommonPrefix(asked, candidate)))
            .Where(entry => entry.distance <= Math.Max(asked.Length, entry.candidate.Length) / (entry.alike >= 3 ? 2 : 3))
            .OrderBy(entry => entry.distance)
            .ThenByDescending(entry => entry.alike)
            .ThenBy(entry => entry.candidate, StringComparer.Ordinal)
            .Take(count)
            .Select(entry => entry.candidate)
            .ToList();
    }

    private static int CommonPrefix(string asked, string candidate)
    {
        var length = 0;
        while (length < asked.Length && length < candidate.Length && asked[length] == char.ToLowerInvariant(candidate[length]))
            length++;
        return length;
    }

    /// <summary>Levenshtein distance over two rows.</summary>
    private static int Distance(string left, string right)
    {
        var previous = new int[right.Length + 1];
        var current = new int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++)
            previous[column] = column;
        for (var row = 1; row <= left.Length; row++)
        {
            current[0] = row;
            for (var column = 1; column <= right.Length; column++)
            {
                var change = previous[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1);
                current[column] = Math.Min(change, Math.Min(previous[column], current[column - 1]) + 1);
            }
            (previous, current) = (current, previous);
        }
        return previous[right.Length];
    }
}
