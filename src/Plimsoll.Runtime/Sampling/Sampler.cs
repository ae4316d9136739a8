namespace Plimsoll.Runtime.Sampling;

/// <summary>Chooses tokens one after the other: penalty, top-k, top-p, min-p, temperature, then a draw, in this order (as llama.cpp).</summary>
/// <remarks>Penalty: Keskar et al. 2019 (CTRL). Top-p: Holtzman et al. 2020. Min-p: Nguyen et al. 2024. Not thread-safe.</remarks>
public sealed class Sampler
{
    private readonly SamplingOptions _options;
    private readonly Random _random;
    private readonly Queue<int> _recent = new();
    private Candidate[] _candidates = [];

    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range.</exception>
    public Sampler(SamplingOptions options)
    {
        Check(options.Temperature is >= 0 and <= 100, "a temperature from 0 to 100", options.Temperature);
        Check(options.TopK >= 0, "a top-k of 0 (all) or more", options.TopK);
        Check(options.TopP is > 0 and <= 1, "a top-p above 0 and at most 1", options.TopP);
        Check(options.MinP is >= 0 and <= 1, "a min-p from 0 to 1", options.MinP);
        Check(options.RepetitionPenalty is > 0 and <= 100, "a repetition penalty above 0 and at most 100", options.RepetitionPenalty);
        Check(options.RepetitionWindow >= 0, "a repetition window of 0 or more tokens", options.RepetitionWindow);
        _options = options;
        _random = new(options.Seed);
    }

    /// <summary>Tells of tokens that were not chosen here, such as those of the prompt.</summary>
    public void Observe(ReadOnlySpan<int> tokens)
    {
        foreach (var token in tokens)
            Remember(token);
    }

    /// <summary>Chooses the next token.</summary>
    /// <param name="logits">One per token of the vocabulary.</param>
    /// <exception cref="ArgumentException">There are none, or one is no number.</exception>
    public int Next(ReadOnlySpan<float> logits)
    {
        if (logits.IsEmpty)
            throw new ArgumentException("there are no logits to choose from", nameof(logits));
        if (_candidates.Length < logits.Length)
            _candidates = new Candidate[logits.Length];
        for (var token = 0; token < logits.Length; token++)
            _candidates[token] = float.IsNaN(logits[token]) ? throw new ArgumentException($"the logit of token {token} is not a number", nameof(logits)) : new(token, logits[token]);
        var candidates = _candidates.AsSpan(0, logits.Length);
        Penalize(candidates);
        var chosen = _options.Temperature == 0 ? MostProbable(candidates) : Draw(Cut(candidates));
        Remember(chosen);
        return chosen;
    }

    private void Remember(int token)
    {
        _recent.Enqueue(token);
        while (_recent.Count > _options.RepetitionWindow)
            _recent.Dequeue();
    }

    private void Penalize(Span<Candidate> candidates)
    {
        if (_options.RepetitionPenalty == 1)
            return;
        var penalty = (float)_options.RepetitionPenalty;
        foreach (var token in _recent.Distinct())
        {
            if (token < candidates.Length)
                candidates[token] = new(token, candidates[token].Logit > 0 ? candidates[token].Logit / penalty : candidates[token].Logit * penalty);
        }
    }

    /// <summary>The candidates that the cuts leave, most probable first when any cut is made.</summary>
    private ReadOnlySpan<Candidate> Cut(Span<Candidate> candidates)
    {
        if (_options.TopK > 0 && _options.TopK < candidates.Length)
            candidates = MostProbable(candidates, _options.TopK);
        else if (_options.TopP < 1)
            candidates.Sort();
        if (_options.TopP < 1)
            candidates = candidates[..TopPLength(candidates)];
        return MinP(candidates);
    }

    private static int MostProbable(ReadOnlySpan<Candidate> candidates)
    {
        var best = candidates[0];
        foreach (var candidate in candidates)
            best = candidate.CompareTo(best) < 0 ? candidate : best;
        return best.Token;
    }

    /// <summary>The first <paramref name="count"/> of the order, found without sorting all.</summary>
    private static Span<Candidate> MostProbable(Span<Candidate> candidates, int count)
    {
        var kept = candidates[..count];
        kept.Sort();
        for (var index = count; index < candidates.Length; index++)
        {
            if (candidates[index].CompareTo(kept[^1]) >= 0)
                continue;
            var place = kept.BinarySearch(candidates[index]);
            place = place < 0 ? ~place : place;
            var candidate = candidates[index];
            kept[place..^1].CopyTo(kept[(place + 1)..]);
            kept[place] = candidate;
        }
        return kept;
    }

    private int TopPLength(ReadOnlySpan<Candidate> candidates)
    {
        var total = 0.0;
        foreach (var candidate in candidates)
            total += Math.Exp(candidate.Logit - candidates[0].Logit);
        var sum = 0.0;
        for (var index = 0; index < candidates.Length; index++)
        {
            sum += Math.Exp(candidates[index].Logit - candidates[0].Logit);
            if (sum >= _options.TopP * total)
                return index + 1;
        }
        return candidates.Length;
    }

    private Span<Candidate> MinP(Span<Candidate> candidates)
    {
        if (_options.MinP == 0)
            return candidates;
        var largest = float.NegativeInfinity;
        foreach (var candidate in candidates)
            largest = Math.Max(largest, candidate.Logit);
        var lowest = largest + Math.Log(_options.MinP);
        var kept = 0;
        foreach (var candidate in candidates)
        {
            if (candidate.Logit >= lowest)
                candidates[kept++] = candidate;
        }
        return candidates[..kept];
    }

    private int Draw(ReadOnlySpan<Candidate> candidates)
    {
        var largest = float.NegativeInfinity;
        foreach (var candidate in candidates)
            largest = Math.Max(largest, candidate.Logit);
        var total = 0.0;
        foreach (var candidate in candidates)
            total += Weight(candidate);
        var rest = _random.NextDouble() * total;
        foreach (var candidate in candidates)
        {
            rest -= Weight(candidate);
            if (rest < 0)
                return candidate.Token;
        }
        // Rounding can leave a rest behind the last.
        return candidates[^1].Token;

        double Weight(Candidate candidate) => Math.Exp((candidate.Logit - largest) / _options.Temperature);
    }

    private static void Check(bool isRight, string expected, double value)
    {
        if (!isRight)
            throw new ArgumentOutOfRangeException("options", $"expected {expected}, found {value.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
    }

    /// <summary>Ordered by falling logit; equal ones by token, so that every choice is determined.</summary>
    private readonly record struct Candidate(int Token, float Logit) : IComparable<Candidate>
    {
        public int CompareTo(Candidate other) => Logit != other.Logit ? other.Logit.CompareTo(Logit) : Token.CompareTo(other.Token);
    }
}
