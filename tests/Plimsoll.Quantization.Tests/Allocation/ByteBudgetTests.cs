using System.Collections.Immutable;
using Plimsoll.Numerics;
using Plimsoll.Quantization.Allocation;

namespace Plimsoll.Quantization.Tests.Allocation;

public sealed class ByteBudgetTests
{
    private static readonly NumberFormat Any = NumberFormats.Fp16;

    [Fact]
    public void A_byte_goes_where_it_brings_most()
    {
        var chosen = ByteBudget.Spend([Tensor("a", (10, 8), (20, 1)), Tensor("b", (10, 5), (20, 1))], 30);
        Assert.Equal([20, 10], chosen.Select(choice => choice.Bytes));
    }

    [Fact]
    public void What_a_large_step_leaves_over_goes_to_a_smaller_one()
    {
        var chosen = ByteBudget.Spend([Tensor("a", (10, 8), (100, 0)), Tensor("b", (10, 5), (12, 4.9))], 25);
        Assert.Equal([10, 12], chosen.Select(choice => choice.Bytes));
    }

    [Fact]
    public void A_choice_that_costs_more_and_brings_less_is_never_taken()
    {
        var chosen = ByteBudget.Spend([Tensor("a", (10, 8), (15, 9), (20, 1))], 19);
        Assert.Equal(10, chosen.Single().Bytes);
    }

    [Fact]
    public void Fewer_bytes_than_the_smallest_choices_are_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ByteBudget.Spend([Tensor("a", (10, 8)), Tensor("b", (10, 5))], 19));

    /// <summary>The gap between the best of all combinations and that of a price of a byte is less than the largest step that no longer fits (Everett 1963).</summary>
    [Fact]
    public void No_combination_is_better_by_more_than_one_step()
    {
        var random = new Random(3);
        for (var round = 0; round < 60; round++)
        {
            ImmutableArray<TensorChoices> tensors = [.. Enumerable.Range(0, 4).Select(index => Tensor($"t{index}", [.. Enumerable.Range(0, 4).Select(_ => ((long)random.Next(1, 40), random.NextDouble()))]))];
            var least = tensors.Sum(tensor => tensor.Choices.Min(choice => choice.Bytes));
            var budget = least + random.Next(0, 60);
            var chosen = ByteBudget.Spend(tensors, budget);
            var best = Combinations(tensors).Where(each => each.Sum(choice => choice.Bytes) <= budget).Min(each => each.Sum(choice => choice.Divergence));
            Assert.InRange(chosen.Sum(choice => choice.Bytes), least, budget);
            Assert.InRange(chosen.Sum(choice => choice.Divergence), best - 1e-12, best + tensors.Max(tensor => tensor.Choices.Max(choice => choice.Divergence) - tensor.Choices.Min(choice => choice.Divergence)));
        }
    }

    private static TensorChoices Tensor(string name, params ReadOnlySpan<(long Bytes, double Divergence)> choices) =>
        new(name, [.. choices.ToArray().Select(choice => new TypeChoice(Any, choice.Bytes, choice.Divergence))]);

    private static IEnumerable<TypeChoice[]> Combinations(ImmutableArray<TensorChoices> tensors) => tensors.Aggregate(
        (IEnumerable<TypeChoice[]>)[[]],
        (before, tensor) => before.SelectMany(each => tensor.Choices.Select(choice => (TypeChoice[])[.. each, choice])));
}
