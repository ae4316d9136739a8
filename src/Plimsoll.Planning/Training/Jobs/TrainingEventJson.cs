using System.Text;
using System.Text.Json;

namespace Plimsoll.Planning.Training.Jobs;

/// <summary>Events as lines of JSON.</summary>
public static class TrainingEventJson
{
    /// <summary>One line, without its end.</summary>
    public static string Write(TrainingEvent occurrence)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteMembers(json, occurrence);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <returns>Null for a line that is no event of this version: libraries may write to stdout too.</returns>
    public static TrainingEvent? Read(string line)
    {
        if (!line.StartsWith('{'))
            return null;
        try
        {
            using var document = JsonDocument.Parse(line);
            return Read(document.RootElement);
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static void WriteMembers(Utf8JsonWriter json, TrainingEvent occurrence)
    {
        switch (occurrence)
        {
            case TrainingStarted started:
                json.WriteString("event", "started");
                json.WriteNumber("parameters", started.Parameters);
                json.WriteNumber("trained", started.Trained);
                json.WriteNumber("rows", started.Rows);
                json.WriteNumber("validation_rows", started.ValidationRows);
                json.WriteNumber("tokens", started.Tokens);
                json.WriteNumber("steps", started.Steps);
                json.WriteNumber("done", started.Done);
                break;
            case TrainingStepped step:
                json.WriteString("event", "step");
                json.WriteNumber("step", step.Step);
                WriteNumber(json, "loss", step.Loss);
                json.WriteNumber("learning_rate", step.LearningRate);
                WriteNumber(json, "gradient_norm", step.GradientNorm);
                json.WriteNumber("tokens_per_second", step.TokensPerSecond);
                json.WriteNumber("resident_bytes", step.ResidentBytes);
                json.WriteNumber("live_bytes", step.LiveBytes);
                json.WriteNumber("live_tensors", step.LiveTensors);
                break;
            case TrainingValidated validated:
                json.WriteString("event", "validated");
                json.WriteNumber("step", validated.Step);
                WriteNumber(json, "loss", validated.Loss);
                break;
            case TrainingSaved saved:
                json.WriteString("event", "saved");
                json.WriteNumber("step", saved.Step);
                json.WriteString("path", saved.Path);
                break;
            case TrainingNote note:
                json.WriteString("event", "note");
                json.WriteString("text", note.Text);
                break;
            case TrainingFinished finished:
                WriteFinished(json, finished);
                break;
            case TrainingFailed failed:
                json.WriteString("event", "failed");
                json.WriteString("message", failed.Message);
                json.WriteString("hint", failed.Hint);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(occurrence), occurrence, "an event without a form");
        }
    }

    private static void WriteFinished(Utf8JsonWriter json, TrainingFinished finished)
    {
        json.WriteString("event", "finished");
        json.WriteString("output", finished.Output);
        json.WriteNumber("steps", finished.Steps);
        WriteNumber(json, "loss", finished.Loss);
        WriteNumber(json, "validation_loss", finished.ValidationLoss);
        json.WriteNumber("seconds", finished.Seconds);
        json.WriteStartArray("phases");
        foreach (var phase in finished.Phases)
        {
            json.WriteStartObject();
            json.WriteString("name", phase.Name);
            json.WriteNumber("peak_bytes", phase.PeakBytes);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static TrainingEvent? Read(JsonElement root) => root.GetProperty("event").GetString() switch
    {
        "started" => new TrainingStarted(
            Long(root, "parameters"), Long(root, "trained"), Int(root, "rows"), Int(root, "validation_rows"), Long(root, "tokens"), Int(root, "steps"), Int(root, "done")),
        "step" => new TrainingStepped(
            Int(root, "step"), Double(root, "loss") ?? double.NaN, root.GetProperty("learning_rate").GetDouble(), Double(root, "gradient_norm"),
            root.GetProperty("tokens_per_second").GetDouble(), Long(root, "resident_bytes"), Long(root, "live_bytes"), Long(root, "live_tensors")),
        "validated" => new TrainingValidated(Int(root, "step"), Double(root, "loss") ?? double.NaN),
        "saved" => new TrainingSaved(Int(root, "step"), root.GetProperty("path").GetString()!),
        "note" => new TrainingNote(root.GetProperty("text").GetString()!),
        "finished" => new TrainingFinished(
            root.GetProperty("output").GetString()!, Int(root, "steps"), Double(root, "loss") ?? double.NaN, Double(root, "validation_loss"), root.GetProperty("seconds").GetDouble(),
            [.. root.GetProperty("phases").EnumerateArray().Select(phase => new MeasuredPhase(phase.GetProperty("name").GetString()!, Long(phase, "peak_bytes")))]),
        "failed" => new TrainingFailed(root.GetProperty("message").GetString()!, root.GetProperty("hint").GetString()),
        _ => null,
    };

    /// <summary>JSON has no NaN: it is null.</summary>
    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    private static int Int(JsonElement root, string name) => root.GetProperty(name).GetInt32();

    private static long Long(JsonElement root, string name) => root.GetProperty(name).GetInt64();

    private static double? Double(JsonElement root, string name) => root.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;
}
