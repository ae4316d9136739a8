using Plimsoll.Planning.Engines;

namespace Plimsoll.Planning;

/// <summary>How far a request can grow before a device is full.</summary>
/// <param name="MaxContext">The longest context that fits, at the asked batch; 0 when not even one token does.</param>
/// <param name="MaxBatch">The most sequences that fit, at the asked context; 0 when none does.</param>
/// <param name="ContextIsModelLimit">Memory would allow more than the model was made for.</param>
public sealed record PlanLimits(long MaxContext, int MaxBatch, bool ContextIsModelLimit)
{
    /// <summary>Where the search stops for models that state no limit.</summary>
    private const long LongestContext = 1L << 24;

    private const int LargestBatch = 1 << 16;

    /// <summary>Searches the limits of <paramref name="request"/> on devices with <paramref name="usableBytes"/> each. More context never needs less memory, so bisection is exact.</summary>
    public static PlanLimits Find(InferenceRequest request, long usableBytes)
    {
        var ceiling = request.Model.MaxContext ?? LongestContext;
        var context = Largest(ceiling, value => Fits(request with { Context = value, Prompt = ScalePrompt(request, value) }, usableBytes));
        var batch = (int)Largest(LargestBatch, value => FitsAtOnce(request with { Batch = (int)value }, usableBytes));
        return new(context, batch, context == request.Model.MaxContext);
    }

    /// <summary>The decision that every verdict rests on: expected peak within the usable memory of each device, and nothing that makes the engine refuse.</summary>
    public static bool Fits(InferenceRequest request, long usableBytes)
    {
        var plan = InferencePlanner.Plan(request);
        return plan.Impossible is null && plan.Devices.All(device => device.Peak.Expected <= usableBytes);
    }

    /// <summary>With a fixed pool every sequence must find its cells at the same time.</summary>
    private static bool FitsAtOnce(InferenceRequest request, long usableBytes) =>
        Fits(request, usableBytes) && (InferencePlanner.Plan(request).PoolTokens is not { } tokens || tokens >= request.Context * request.Batch);

    /// <summary>A stated prompt stays as it is; the worst case grows with the context.</summary>
    private static long? ScalePrompt(InferenceRequest request, long context) => request.Prompt is { } prompt ? Math.Min(prompt, context) : null;

    internal static long Largest(long ceiling, Func<long, bool> fits)
    {
        if (!fits(1))
            return 0;
        if (fits(ceiling))
            return ceiling;
        long good = 1, bad = ceiling;
        while (bad - good > 1)
        {
            var middle = good + (bad - good) / 2;
            if (fits(middle))
                good = middle;
            else
                bad = middle;
        }
        return good;
    }
}
