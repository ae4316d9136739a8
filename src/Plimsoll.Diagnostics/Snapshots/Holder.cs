using System.Collections.Immutable;

namespace Plimsoll.Diagnostics.Snapshots;

/// <summary>All memory that one line of code holds at a moment.</summary>
/// <param name="Bytes">As the allocator counts them.</param>
/// <param name="Count">Allocations, which are tensors.</param>
/// <param name="Largest">The largest of them.</param>
/// <param name="Callers">The program's own frames from there outward, of the largest allocation.</param>
public sealed record Holder(CodeSite Site, MemoryCategory Category, long Bytes, int Count, long Largest, ImmutableArray<CodeSite> Callers);

/// <summary>Who holds memory.</summary>
public static class Holders
{
    /// <summary>By line of code, the largest first.</summary>
    public static ImmutableArray<Holder> Of(StackTable stacks, IEnumerable<Allocation> live)
    {
        var sites = new Dictionary<int, (CodeSite Site, MemoryCategory Category)>();
        return
        [
            .. live.GroupBy(allocation => Site(allocation.Stack)).Select(group =>
            {
                var largest = group.MaxBy(allocation => allocation.Size);
                return new Holder(
                    group.Key.Site, group.Key.Category, group.Sum(allocation => allocation.Size), group.Count(), largest.Size, [.. CodeSite.Callers(stacks, largest.Stack)]);
            }).OrderByDescending(holder => holder.Bytes).ThenBy(holder => holder.Site.File, StringComparer.Ordinal).ThenBy(holder => holder.Site.Line),
        ];

        (CodeSite Site, MemoryCategory Category) Site(int stack)
        {
            if (!sites.TryGetValue(stack, out var site))
                sites[stack] = site = (CodeSite.Of(stacks, stack), MemoryCategories.Of(stacks, stack));
            return site;
        }
    }

    /// <summary>By what it is for, the largest first.</summary>
    public static ImmutableArray<(MemoryCategory Category, long Bytes, int Count)> ByCategory(IEnumerable<Holder> holders) =>
        [.. holders.GroupBy(holder => holder.Category).Select(group => (group.Key, group.Sum(holder => holder.Bytes), group.Sum(holder => holder.Count))).OrderByDescending(group => group.Item2)];
}
