using Plimsoll.Runtime.Sampling;

namespace Plimsoll.Runtime.Tests.Sampling;

public class SamplerTests
{
    /// <summary>Probabilities 0.5, 0.25, 0.125, 0.0625, 0.0625, not in order.</summary>
    private static readonly float[] Logits = [.. new[] { 0.125, 0.5, 0.0625, 0.25, 0.0625 }.Select(probability => (float)Math.Log(probability) + 3)];

    /// <summary>Everything is let through and nothing is changed.</summary>
    private static readonly SamplingOptions Plain = new() { Temperature = 1, TopK = 0, TopP = 1, MinP = 0 };

    [Fact]
    public void Greedy_takes_the_most_probable_and_of_equals_the_first()
    {
        Assert.Equal(1, new Sampler(SamplingOptions.Greedy).Next(Logits));
        Assert.Equal(2, new Sampler(SamplingOptions.Greedy).Next([1, 0, 4, 4]));
    }

    [Fact]
    public void Plain_draws_follow_the_probabilities() => AssertShares(Plain, [0.125, 0.5, 0.0625, 0.25, 0.0625]);

    /// <summary>p^(1/T) normalized: with T = 1/2 the squares.</summary>
    [Fact]
    public void Temperature_sharpens_by_the_power_of_its_inverse() =>
        AssertShares(Plain with { Temperature = 0.5 }, [.. new[] { 4.0, 64, 1, 16, 1 }.Select(square => square / 86)]);

    [Fact]
    public void Top_k_keeps_the_most_probable() => AssertShares(Plain with { TopK = 2 }, [0, 2.0 / 3, 0, 1.0 / 3, 0]);

    [Fact]
    public void Top_p_keeps_the_fewest_that_reach_it()
    {
        AssertShares(Plain with { TopP = 0.7 }, [0, 2.0 / 3, 0, 1.0 / 3, 0]);
        AssertShares(Plain with { TopP = 0.8 }, [1.0 / 7, 4.0 / 7, 0, 2.0 / 7, 0]);
        AssertShares(Plain with { TopP = 1e-9 }, [0, 1, 0, 0, 0]);
    }

    [Fact]
    public void Min_p_keeps_what_is_not_too_far_below_the_most_probable()
    {
        AssertShares(Plain with { MinP = 0.2 }, [1.0 / 7, 4.0 / 7, 0, 2.0 / 7, 0]);
        AssertShares(Plain with { MinP = 1 }, [0, 1, 0, 0, 0]);
    }

    /// <summary>The cuts see the probabilities before the temperature, as in llama.cpp.</summary>
    [Fact]
    public void Temperature_comes_after_the_cuts() => AssertShares(Plain with { TopP = 0.7, Temperature = 100 }, [0, 0.5, 0, 0.5, 0], 0.02);

    [Fact]
    public void The_repetition_penalty_divides_positive_logits_and_multiplies_others()
    {
        var sampler = new Sampler(SamplingOptions.Greedy with { RepetitionPenalty = 2, RepetitionWindow = 2 });
        sampler.Observe([0]);
        // 4 / 2 is below 3; then both are halved, twice; then token 1 is forgotten. −1 · 2 is below −1.499.
        Assert.Equal([1, 0, 0, 1], new[] { sampler.Next([4, 3, -1]), sampler.Next([4, 3, -1]), sampler.Next([4, 3.9f, -1]), sampler.Next([4, 3.9f, -1]) });
        sampler.Observe([2, 2]);
        Assert.Equal(1, sampler.Next([-1.5f, -1.5f + 1e-3f, -1]));
    }

    [Fact]
    public void The_same_seed_gives_the_same_choices_and_another_gives_others()
    {
        static int[] Draw(int seed)
        {
            var sampler = new Sampler(new() { Seed = seed, MinP = 0 });
            return [.. Enumerable.Range(0, 200).Select(_ => sampler.Next(Logits))];
        }
        Assert.Equal(Draw(7), Draw(7));
        Assert.NotEqual(Draw(7), Draw(8));
    }

    /// <summary>Top-k of a whole vocabulary against a full sort.</summary>
    [Fact]
    public void Top_k_of_many_tokens_is_that_of_a_sort()
    {
        var random = new Random(3);
        var logits = Enumerable.Range(0, 5000).Select(_ => MathF.Round(random.NextSingle() * 500) / 100).ToArray();
        var allowed = Enumerable.Range(0, 5000).OrderByDescending(token => logits[token]).ThenBy(token => token).Take(25).ToHashSet();
        var sampler = new Sampler(Plain with { TopK = 25, Temperature = 100 });
        var drawn = Enumerable.Range(0, 2000).Select(_ => sampler.Next(logits)).ToHashSet();
        Assert.Equal(allowed.Order(), drawn.Order());
    }

    [Theory]
    [InlineData(-1, 40, 0.9, 0.05, 1, "a temperature from 0 to 100, found -1")]
    [InlineData(1, -1, 0.9, 0.05, 1, "a top-k of 0 (all) or more, found -1")]
    [InlineData(1, 40, 0, 0.05, 1, "a top-p above 0 and at most 1, found 0")]
    [InlineData(1, 40, 0.9, 2, 1, "a min-p from 0 to 1, found 2")]
    [InlineData(1, 40, 0.9, 0.05, 0, "a repetition penalty above 0 and at most 100, found 0")]
    [InlineData(double.NaN, 40, 0.9, 0.05, 1, "a temperature from 0 to 100, found NaN")]
    public void An_option_outside_its_range_is_refused(double temperature, int topK, double topP, double minP, double penalty, string expected)
    {
        var options = new SamplingOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP, RepetitionPenalty = penalty };
        Assert.Contains(expected, Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Logits_that_are_no_numbers_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new Sampler(Plain).Next([]));
        Assert.Throws<ArgumentException>(() => new Sampler(Plain).Next([0, float.NaN]));
    }

    private static void AssertShares(SamplingOptions options, double[] expected, double tolerance = 0.012)
    {
        const int draws = 20_000;
        var sampler = new Sampler(options with { Seed = 11 });
        var counts = new int[expected.Length];
        for (var draw = 0; draw < draws; draw++)
            counts[sampler.Next(Logits)]++;
        for (var token = 0; token < expected.Length; token++)
        {
            Assert.InRange((double)counts[token] / draws, expected[token] - tolerance, expected[token] + tolerance);
            Assert.Equal(expected[token] == 0, counts[token] == 0);
        }
    }
}
