using System.Collections.Immutable;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Fitting;

/// <summary>One change to a request that saves memory.</summary>
/// <param name="Action">What to do, with the option that does it.</param>
/// <param name="Cost">What it costs in time, quality or comfort.</param>
/// <param name="Pain">Rank of the cost: combinations are searched from the least painful upwards.</param>
/// <param name="Apply">The changed request; null when the lever does not apply.</param>
/// <param name="Excludes">Levers that change the same setting; at most one of a group is taken.</param>
public sealed record Lever<TRequest>(string Action, string Cost, int Pain, Func<TRequest, TRequest?> Apply, string Excludes)
    where TRequest : class
{
    /// <summary>The action with the value that a particular request needs; <see cref="Action"/> itself when it has no value.</summary>
    public Func<TRequest, string>? Describe { get; init; }

    internal string ActionFor(TRequest request) => Describe?.Invoke(request) ?? Action;
}

/// <summary>What one lever does alone.</summary>
/// <param name="SavesBytes">Expected peak before less expected peak after, on the fullest device.</param>
/// <param name="FitsAlone">The job fits with this change and no other; null without a device.</param>
public sealed record LeverEffect(string Action, string Cost, long SavesBytes, long PeakBytes, bool? FitsAlone);

/// <summary>Every lever alone, and the least painful combination that fits.</summary>
/// <param name="Effects">Most bytes saved first.</param>
/// <param name="Combination">Empty when the job fits already, or when nothing fits (see <paramref name="CombinationFits"/>).</param>
public sealed record WhatIfResult(ImmutableArray<LeverEffect> Effects, ImmutableArray<string> Combination, bool CombinationFits, long CombinationPeakBytes);

/// <summary>Tries levers one by one and together.</summary>
public static class WhatIf
{
    /// <param name="plan">The plan of a request.</param>
    /// <param name="fits">Whether a request fits its device; null without a device.</param>
    public static WhatIfResult Evaluate<TRequest>(TRequest request, IReadOnlyList<Lever<TRequest>> levers, Func<TRequest, MemoryPlan> plan, Func<TRequest, bool>? fits)
        where TRequest : class
    {
        var before = plan(request).Peak.Expected;
        var usable = levers.Select(lever => (Lever: lever, Changed: lever.Apply(request))).Where(pair => pair.Changed is not null).ToList();
        var effects = usable
            .Select(pair => (pair.Lever, Peak: plan(pair.Changed!).Peak.Expected, Fits: fits?.Invoke(pair.Changed!)))
            .Where(pair => pair.Peak < before)
            .Select(pair => new LeverEffect(pair.Lever.ActionFor(request), pair.Lever.Cost, before - pair.Peak, pair.Peak, pair.Fits))
            .OrderByDescending(effect => effect.SavesBytes)
            .ToImmutableArray();
        if (fits is null || fits(request))
            return new(effects, [], fits is not null, before);
        return Combine(request, usable.Select(pair => pair.Lever).Where(lever => effects.Any(effect => effect.Action == lever.ActionFor(request))).ToList(), plan, fits) is { } found
            ? new(effects, found.Actions, true, found.Peak)
            : new(effects, [], false, before);
    }

    /// <summary>The combination with the least total pain, found by walking the subsets in order of their pain.</summary>
    private static (ImmutableArray<string> Actions, long Peak)? Combine<TRequest>(TRequest request, List<Lever<TRequest>> levers, Func<TRequest, MemoryPlan> plan, Func<TRequest, bool> fits)
        where TRequest : class
    {
        if (!fits(MostSaving(request, levers, plan)))
            return null;
        var queue = new PriorityQueue<(TRequest Request, ImmutableArray<string> Actions, ImmutableHashSet<string> Taken, int Next), int>();
        queue.Enqueue((request, [], [], 0), 0);
        for (var visited = 0; visited < MaxCombinations && queue.TryDequeue(out var state, out var pain); visited++)
        {
            if (!state.Actions.IsEmpty && fits(state.Request))
                return (state.Actions, plan(state.Request).Peak.Expected);
            for (var i = state.Next; i < levers.Count; i++)
            {
                var lever = levers[i];
                if (!state.Taken.Contains(lever.Excludes) && lever.Apply(state.Request) is { } changed)
                    queue.Enqueue((changed, state.Actions.Add(lever.ActionFor(state.Request)), state.Taken.Add(lever.Excludes), i + 1), pain + lever.Pain);
            }
        }
        return null;
    }

    /// <summary>The request with the most saving lever of every group: when that does not fit, nothing does, and the search is spared.</summary>
    private static TRequest MostSaving<TRequest>(TRequest request, List<Lever<TRequest>> levers, Func<TRequest, MemoryPlan> plan)
        where TRequest : class =>
        levers.GroupBy(lever => lever.Excludes).Aggregate(request, (current, group) => group
            .Select(lever => lever.Apply(current))
            .OfType<TRequest>()
            .Append(current)
            .MinBy(changed => plan(changed).Peak.Expected)!);

    /// <summary>A bound on the search: far more than a user would read, a fraction of a second to compute.</summary>
    private const int MaxCombinations = 3000;
}
