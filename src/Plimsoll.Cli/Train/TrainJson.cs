namespace Plimsoll.Cli.Train;

/// <summary><c>plimsoll.train/1</c>.</summary>
internal static class TrainJson
{
    public static void Write(TextWriter output, TrainReport report) => JsonOutput.Write(output, "plimsoll.train/1", json =>
    {
        var (started, finished) = (report.Started, report.Finished);
        json.WriteString("output", finished.Output);
        json.WriteString("method", report.Job.Quantization is null ? report.Job.Method.ToString().ToLowerInvariant() : "qat");
        json.WriteNumber("parameters", started.Parameters);
        json.WriteNumber("trained_parameters", started.Trained);
        json.WriteNumber("steps", finished.Steps);
        json.WriteNumber("tokens_per_step", (long)report.Job.MicroBatch * report.Job.Accumulation * report.Job.SequenceLength);
        json.WriteNumberOrNull("loss", finished.Loss);
        json.WriteNumberOrNull("validation_loss", finished.ValidationLoss);
        json.WriteNumber("seconds", finished.Seconds);
        json.WriteNumber("tokens_per_second", report.TokensPerSecond);
        json.WriteArray("losses", report.Steps, step =>
        {
            json.WriteStartObject();
            json.WriteNumber("step", step.Step);
            json.WriteNumberOrNull("loss", step.Loss);
            json.WriteNumber("learning_rate", step.LearningRate);
            json.WriteEndObject();
        });
        json.WriteArray("phases", report.Phases, phase =>
        {
            json.WriteStartObject();
            json.WriteString("name", phase.Phase);
            json.WriteNumber("planned_bytes", phase.Planned.Expected);
            json.WriteNumber("planned_low_bytes", phase.Planned.Low);
            json.WriteNumber("planned_high_bytes", phase.Planned.High);
            json.WriteNumber("measured_bytes", phase.Measured);
            json.WriteEndObject();
        });
    });
}
