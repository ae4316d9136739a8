namespace Plimsoll.Planning.Training;

/// <summary>How far a training run can grow before a device is full.</summary>
/// <param name="MaxSequence">The longest samples that fit, at the asked micro-batch; 0 when not even one token does.</param>
/// <param name="MaxMicroBatch">The largest micro-batch that fits, at the asked sequence length; 0 when none does.</param>
/// <param name="SequenceIsModelLimit">Memory would allow more than the model was made for.</param>
public sealed record TrainingLimits(long MaxSequence, int MaxMicroBatch, bool SequenceIsModelLimit)
{
    private const long LongestSequence = 1L << 24;
    private const int LargestBatch = 1 << 16;

    /// <summary>Searches the limits on devices with <paramref name="usableBytes"/> each.</summary>
    public static TrainingLimits Find(TrainingRequest request, long usableBytes)
    {
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
