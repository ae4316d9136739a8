namespace Plimsoll.Planning.Training;

/// <summary>How far a training run can grow before a device is full.</summary>
public static class TrainingLimits
{
    private const long LongestSequence = 1L << 24;
    private const int LargestBatch = 1 << 16;

    /// <summary>Searches the longest sample and the largest micro-batch on devices with <paramref name="usableBytes"/> each.</summary>
    public static PlanLimits Find(TrainingRequest request, long usableBytes)
    {
        ArgumentNullException.ThrowIfNull(request);
        var ceiling = request.Model.MaxContext ?? LongestSequence;
        var sequence = PlanLimits.Largest(ceiling, value => Fits(request with { SequenceLength = value }, usableBytes));
        var batch = (int)PlanLimits.Largest(LargestBatch, value => Fits(request with { MicroBatch = (int)value }, usableBytes));
        return new(sequence, batch, sequence == request.Model.MaxContext);
    }

    /// <summary>The expected peak lies within the usable memory of each device.</summary>
    public static bool Fits(TrainingRequest request, long usableBytes)
    {
        try
        {
            return TrainingPlanner.Plan(request).Devices.All(device => device.Peak.Expected <= usableBytes);
        }
        catch (OverflowException)
        {
            // More bytes than 64 bits can count: no device holds them.
            return false;
        }
    }
}
