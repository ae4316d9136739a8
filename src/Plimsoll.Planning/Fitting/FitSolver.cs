using System.Collections.Immutable;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Fitting;

/// <summary>What the solver may change. What is locked stays as the request has it.</summary>
public sealed record FitLocks
{
    public bool Precision { get; init; }

    public bool KvPrecision { get; init; }

    public bool Context { get; init; }
}

/// <summary>One precision tried on the device.</summary>
/// <param name="Request">The request with the best settings that were found for this precision.</param>
/// <param name="PeakBytes">Expected peak on the fullest device, at the request's context.</param>
/// <param name="ShortBytes">How much it lacks; 0 when it fits.</param>
/// <param name="Reason">Why it does not fit; null when it does.</param>
public sealed record FitCandidate(InferenceRequest Request, ExpectedQuality? Quality, long PeakBytes, long ShortBytes, string? Reason)
{
    public string Precision => Request.Weights.Precision;

    public bool Fits => Reason is null;
}

/// <summary>All candidates, best quality first, and the one to take.</summary>
/// <param name="Chosen">Null when nothing fits, not even with part of the model on the host.</param>
/// <param name="OnHost">What the chosen candidate keeps on the host, as a sentence; null when all of it is on the GPU.</param>
public sealed record FitResult(ImmutableArray<FitCandidate> Candidates, FitCandidate? Chosen, string? OnHost);

/// <summary>Chooses precision and settings for a device: best expected quality first, then the longest context.</summary>
public static class FitSolver
{
    /// <param name="request">The model and everything that is locked; its context is the least that is acceptable.</param>
    /// <param name="usableBytes">Usable memory of each device.</param>
    public static FitResult Solve(InferenceRequest request, FitLocks locks, long usableBytes)
    {
        var candidates = Precisions(request, locks)
            .OrderBy(pair => pair.Quality?.PerplexityIncrease ?? double.MaxValue)
            .Select(pair => Try(request with { Weights = pair.Weights }, pair.Quality, locks, usableBytes))
            .ToImmutableArray();
        if (candidates.FirstOrDefault(candidate => candidate.Fits) is { } best)
            return new(candidates, best, null);
        return Offloaded(candidates, usableBytes) is { } found ? new(candidates, found.Candidate, found.OnHost) : new(candidates, null, null);
    }

    private static IEnumerable<(WeightSet Weights, ExpectedQuality? Quality)> Precisions(InferenceRequest request, FitLocks locks)
    {
        if (locks.Precision)
        {
            yield return (request.Weights, ExpectedQuality.Of(request.Weights.Precision));
            yield break;
        }
        foreach (var name in ExpectedQuality.Ladder(request.Engine.Id))
        {
            if (PrecisionScheme.Find(name) is { } scheme && Apply(scheme, request) is { } weights)
                yield return (weights, ExpectedQuality.Of(name));
        }
    }

    private static FitCandidate Try(InferenceRequest request, ExpectedQuality? quality, FitLocks locks, long usableBytes)
    {
        var variants = CacheFormats(request, locks).SelectMany(format => Batches(request with { KvFormat = format })).ToList();
        foreach (var changed in variants)
        {
            if (!PlanLimits.Fits(changed, usableBytes))
                continue;
            var longest = locks.Context ? changed : changed with { Context = PlanLimits.Find(changed, usableBytes).MaxContext };
            return new(longest, quality, InferencePlanner.Plan(longest).Peak.Expected, 0, null);
        }
        // Of our own engine the shortage is that of the most frugal settings.
        var closest = request.Engine.Id == "plimsoll" ? variants.MinBy(changed => InferencePlanner.Plan(changed).Peak.Expected)! : request;
        var plan = InferencePlanner.Plan(closest);
        var shortage = Math.Max(1, plan.Peak.Expected - usableBytes);
        return new(closest, quality, plan.Peak.Expected, shortage, plan.Impossible ?? $"{new ByteSize(shortage)} short");
    }

    private static IEnumerable<KvFormat> CacheFormats(InferenceRequest request, FitLocks locks)
    {
        yield return request.KvFormat;
        if (locks.KvPrecision || request.KvFormat != KvFormat.Fp16)
            yield break;
        if (request.Engine.Id == "plimsoll" || request.Engine.Id is "llama.cpp" or "ik_llama.cpp" && request.FlashAttention)
            yield return new(NumberFormats.Q8_0, NumberFormats.Q8_0);
        else if (request.Engine.Id == "vllm")
            yield return new(NumberFormats.Fp8E4M3, NumberFormats.Fp8E4M3);
    }

    /// <summary>Our own engine reads a prompt in pieces of any length; shorter ones take less scratch and a little more time.</summary>
    private static IEnumerable<InferenceRequest> Batches(InferenceRequest request)
    {
        yield return request;
        if (request.Engine.Id != "plimsoll")
            yield break;
        foreach (var batch in new[] { 128, 32 }.Where(batch => batch < request.LlamaCpp.MicroBatch))
            yield return request with { LlamaCpp = request.LlamaCpp with { MicroBatch = batch } };
    }

    /// <summary>Where nothing fits whole, llama.cpp can compute part of the model on the CPU: experts first, then layers.</summary>
    private static (FitCandidate Candidate, string OnHost)? Offloaded(ImmutableArray<FitCandidate> candidates, long usableBytes)
    {
        // Decoding waits for the host's memory, so of the usual precisions the smallest good one is the one to take.
        var start = candidates.FirstOrDefault(candidate => candidate.Precision == "gguf:q4_k_m") ?? candidates.FirstOrDefault();
        if (start is null || start.Request.Engine.Id is not ("llama.cpp" or "ik_llama.cpp"))
            return null;
        var layers = start.Request.Model.Layers.Length;
        var options = start.Request.LlamaCpp;
        if (start.Request.Model.Layers.Any(layer => layer.FeedForward?.Experts is not null)
            && Least(layers, count => start.Request with { LlamaCpp = options with { CpuExpertLayers = count } }, usableBytes) is { } experts)
            return (Candidate(experts.Request), $"the experts of {experts.Count} of {layers} layers are computed on the CPU");
        return Least(layers, count => start.Request with { LlamaCpp = options with { GpuLayers = layers - count } }, usableBytes) is { } moved && moved.Count < layers
            ? (Candidate(moved.Request), $"{moved.Count} of {layers} layers and the output are computed on the CPU")
            : null;

        FitCandidate Candidate(InferenceRequest request) => new(request, start.Quality, InferencePlanner.Plan(request).Peak.Expected, 0, null);
    }

    private static (InferenceRequest Request, int Count)? Least(int most, Func<int, InferenceRequest> move, long usableBytes)
    {
        if (!PlanLimits.Fits(move(most), usableBytes))
            return null;
        int low = 1, high = most;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (PlanLimits.Fits(move(middle), usableBytes))
                high = middle;
            else
                low = middle + 1;
        }
        return (move(low), low);
    }

    private static WeightSet? Apply(PrecisionScheme scheme, InferenceRequest request)
    {
        try
        {
            return scheme.Apply(request.Model);
        }
        catch (PrecisionNotApplicableException)
        {
            return null;
        }
    }
}
