using System.Collections.Immutable;

namespace Plimsoll.Quantization.Allocation;

/// <summary>Chooses a type for each tensor so that together they take no more than a number of bytes, at the least expected divergence.</summary>
/// <remarks>
/// Costs of tensors are taken to add up. Then the best choice under a budget is, for some price λ of a byte, the one that is least in divergence + λ · bytes for each
/// tensor apart, and only choices on the lower convex hull of (bytes, divergence) ever are. Lowering λ means to take the steps along the hulls in the order of
/// what a byte brings: Everett 1963, Shoham and Gersho 1988.
/// </remarks>
public static class ByteBudget
{
    /// <summary>The choice of each tensor, in their order.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Even the smallest choices take more.</exception>
    public static ImmutableArray<TypeChoice> Spend(ImmutableArray<TensorChoices> tensors, long bytes)
    {
        var hulls = tensors.Select(tensor => Hull(tensor.Choices)).ToList();
        var at = new int[hulls.Count];
        var left = bytes - hulls.Sum(hull => hull[0].Bytes);
        ArgumentOutOfRangeException.ThrowIfNegative(left, nameof(bytes));
        var steps = hulls.SelectMany((hull, tensor) => Enumerable.Range(1, hull.Count - 1).Select(to => (Tensor: tensor, To: to, Gain: Gain(hull[to - 1], hull[to]))));
        foreach (var (tensor, to, _) in steps.OrderByDescending(step => step.Gain).ThenBy(step => step.Tensor))
        {
            // A step that does not fit leaves room for smaller ones of other tensors.
            var cost = hulls[tensor][to].Bytes - hulls[tensor][to - 1].Bytes;
            if (at[tensor] != to - 1 || cost > left)
                continue;
            at[tensor] = to;
            left -= cost;
        }
        ImmutableArray<TypeChoice> chosen = [.. hulls.Select((hull, tensor) => hull[at[tensor]])];
        return Fill(tensors, chosen, left);
    }

    /// <summary>Spends what is left on choices off the hulls, the best first.</summary>
    private static ImmutableArray<TypeChoice> Fill(ImmutableArray<TensorChoices> tensors, ImmutableArray<TypeChoice> chosen, long left)
    {
        while (true)
        {
            var better = tensors.SelectMany((tensor, index) => tensor.Choices.Select(choice => (Index: index, Choice: choice)))
                .Where(step => step.Choice.Bytes - chosen[step.Index].Bytes <= left && step.Choice.Divergence < chosen[step.Index].Divergence)
                .OrderByDescending(step => chosen[step.Index].Divergence - step.Choice.Divergence)
                .ThenBy(step => step.Index)
                .FirstOrDefault();
            if (better.Choice is null)
                return chosen;
            left -= better.Choice.Bytes - chosen[better.Index].Bytes;
            chosen = chosen.SetItem(better.Index, better.Choice);
        }
    }

    /// <summary>The lower convex hull: from the fewest bytes on, each byte of a step brings less than one of the step before.</summary>
    private static List<TypeChoice> Hull(ImmutableArray<TypeChoice> choices)
    {
        var hull = new List<TypeChoice>();
        foreach (var choice in choices.OrderBy(choice => choice.Bytes).ThenBy(choice => choice.Divergence))
        {
            if (hull.Count > 0 && choice.Divergence >= hull[^1].Divergence)
                continue;
            while (hull.Count > 1 && Gain(hull[^2], hull[^1]) <= Gain(hull[^2], choice))
                hull.RemoveAt(hull.Count - 1);
            hull.Add(choice);
        }
        return hull;
    }

    private static double Gain(TypeChoice from, TypeChoice to) => to.Bytes > from.Bytes ? (from.Divergence - to.Divergence) / (to.Bytes - from.Bytes) : double.PositiveInfinity;
}
