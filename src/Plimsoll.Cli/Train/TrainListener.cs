using System.CommandLine;
using System.Globalization;
using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Cli.Train;

/// <summary>Hears the events of a run: keeps them for the report, and shows on stderr how far it is.</summary>
internal sealed class TrainListener(ParseResult parsed, Terminal terminal, CliEnvironment environment) : IDisposable
{
    private readonly List<TrainingStepped> steps = [];
    private readonly List<TrainingValidated> validations = [];
    private Progress? progress;
    private int tokensPerStep;

    public IReadOnlyList<TrainingStepped> Steps => steps;

    public IReadOnlyList<TrainingValidated> Validations => validations;

    public TrainingStarted? Started { get; private set; }

    public TrainingFinished? Finished { get; private set; }

    public TrainingFailed? Failed { get; private set; }

    public void Hear(TrainingEvent occurrence, TrainingJob job)
    {
        switch (occurrence)
        {
            case TrainingStarted started:
                Started = started;
                tokensPerStep = job.MicroBatch * job.Accumulation * job.SequenceLength;
                terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"plimsoll: {started.Trained:N0} of {started.Parameters:N0} parameters learn from {started.Rows:N0} rows of {job.SequenceLength:N0} tokens"));
                progress = Progress.Start(parsed, environment, "train", (long)started.Steps * tokensPerStep, ProgressUnit.Of("tokens"), (long)started.Done * tokensPerStep);
                break;
            case TrainingStepped step:
                steps.Add(step);
                progress?.Report((long)step.Step * tokensPerStep, string.Create(CultureInfo.InvariantCulture, $"loss {step.Loss:0.0000}"));
                break;
            case TrainingValidated validated:
                validations.Add(validated);
                break;
            case TrainingNote note:
                terminal.Error.WriteLine($"plimsoll: {note.Text}");
                break;
            case TrainingFinished finished:
                Finished = finished;
                break;
            case TrainingFailed failed:
                Failed = failed;
                break;
        }
    }

    public void Dispose() => progress?.Dispose();
}
