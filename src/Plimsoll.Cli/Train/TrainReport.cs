using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Cli.Train;

/// <summary>A run as it was planned and as it went.</summary>
internal sealed record TrainReport(TrainingJob Job, MemoryPlan Plan, TrainingStarted Started, IReadOnlyList<TrainingStepped> Steps, IReadOnlyList<TrainingValidated> Validations, TrainingFinished Finished)
{
    public double TokensPerSecond => Steps.Count == 0 ? 0 : Steps[^1].TokensPerSecond;

    /// <summary>Each phase of the plan with what was measured.</summary>
    public IEnumerable<(string Phase, ByteRange Planned, long Measured)> Phases =>
        from phase in Plan.Phases
        join measured in Finished.Phases on phase.Name equals measured.Name
        select (phase.Name, phase.Total, measured.PeakBytes);
}
