using System.Collections.Immutable;

namespace Plimsoll.Planning.Training.Jobs;

/// <summary>What a running job reports, one JSON object a line.</summary>
public abstract record TrainingEvent;

/// <summary>The model is loaded and the data is read.</summary>
/// <param name="Parameters">Parameters of the model, adapters included.</param>
/// <param name="Trained">Those that learn.</param>
/// <param name="Tokens">Tokens of the training rows, padding left out.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Done">Steps that an earlier run has taken.</param>
public sealed record TrainingStarted(long Parameters, long Trained, int Rows, int ValidationRows, long Tokens, int Steps, int Done) : TrainingEvent;

/// <summary>The optimizer has taken a step.</summary>
/// <param name="Step">Counted from 1.</param>
/// <param name="Loss">Mean cross entropy in nats over the tokens of the step; not finite where FP16 overflowed.</param>
/// <param name="GradientNorm">Before clipping; null where fp16 gradients overflowed and the step was left out.</param>
/// <param name="TokensPerSecond">Since the start, padding included.</param>
/// <param name="ResidentBytes">Of the process, now.</param>
/// <param name="LiveBytes">That tensors and everything else have allocated, now.</param>
/// <param name="LiveTensors">Tensors that the process holds.</param>
public sealed record TrainingStepped(int Step, double Loss, double LearningRate, double? GradientNorm, double TokensPerSecond, long ResidentBytes, long LiveBytes, long LiveTensors) : TrainingEvent;

/// <summary>The loss over the validation rows after a step.</summary>
public sealed record TrainingValidated(int Step, double Loss) : TrainingEvent;

/// <summary>A checkpoint from which the run can go on.</summary>
public sealed record TrainingSaved(int Step, string Path) : TrainingEvent;

/// <summary>Something that the user should know.</summary>
public sealed record TrainingNote(string Text) : TrainingEvent;

/// <summary>The trained model is written.</summary>
/// <param name="Loss">Mean of the last steps.</param>
public sealed record TrainingFinished(string Output, int Steps, double Loss, double? ValidationLoss, double Seconds, ImmutableArray<MeasuredPhase> Phases) : TrainingEvent;

/// <summary>The run ends without a model.</summary>
public sealed record TrainingFailed(string Message, string? Hint) : TrainingEvent;

/// <summary>The most memory that a phase took, over all steps.</summary>
/// <param name="Name">As the plan names it: load, forward, backward, optimizer step.</param>
/// <param name="PeakBytes">Resident memory of the process at its highest.</param>
public sealed record MeasuredPhase(string Name, long PeakBytes);
