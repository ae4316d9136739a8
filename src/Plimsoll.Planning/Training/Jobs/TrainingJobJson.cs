using System.Text.Json;

namespace Plimsoll.Planning.Training.Jobs;

/// <summary>A job as one JSON document.</summary>
public static class TrainingJobJson
{
    public const string Schema = "plimsoll.training-job/1";

    public static void Write(Stream output, TrainingJob job)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("schema", Schema);
        json.WriteString("model", job.Model);
        json.WriteString("data", job.Data);
        json.WriteString("output", job.Output);
        json.WriteString("method", Word(job.Method));
        json.WriteBoolean("initialize", job.Initialize);
        json.WriteString("compute", Word(job.Compute));
        json.WriteBoolean("master_weights", job.MasterWeights);
        json.WriteString("optimizer", job.Optimizer);
        json.WriteNumber("sequence_length", job.SequenceLength);
        json.WriteNumber("micro_batch", job.MicroBatch);
        json.WriteNumber("accumulation", job.Accumulation);
        json.WriteString("checkpointing", Word(job.Checkpointing));
        if (job.Steps is { } steps)
            json.WriteNumber("steps", steps);
        json.WriteNumber("epochs", job.Epochs);
        json.WriteNumber("learning_rate", job.LearningRate);
        json.WriteString("schedule", Word(job.Schedule));
        json.WriteNumber("warmup", job.Warmup);
        json.WriteNumber("final_rate", job.FinalRate);
        json.WriteNumber("weight_decay", job.WeightDecay);
        json.WriteNumber("beta1", job.Beta1);
        json.WriteNumber("beta2", job.Beta2);
        json.WriteNumber("clip", job.Clip);
        json.WriteNumber("seed", job.Seed);
        json.WriteBoolean("pack", job.Pack);
        json.WriteNumber("validation", job.Validation);
        json.WriteNumber("validate_every", job.ValidateEvery);
        json.WriteNumber("save_every", job.SaveEvery);
        json.WriteBoolean("resume", job.Resume);
        if (job.Threads is { } threads)
            json.WriteNumber("threads", threads);
        json.WriteString("device", Word(job.Device));
        if (job.Adapter is { } adapter)
            Write(json, adapter);
        if (job.Quantization is { } quantization)
        {
            json.WriteStartObject("quantization");
            json.WriteString("format", quantization.Format);
            json.WriteBoolean("distill", quantization.Distill);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    /// <exception cref="JsonException">The text is no job.</exception>
    public static TrainingJob Read(ReadOnlyMemory<byte> text)
    {
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("schema", out var schema) || schema.GetString() != Schema)
            throw new JsonException($"not a document of the schema {Schema}");
        try
        {
            return Read(root);
        }
        catch (Exception failure) when (failure is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new JsonException($"not a document of the schema {Schema}: {failure.Message}", failure);
        }
    }

    private static TrainingJob Read(JsonElement root) => new()
    {
        Model = root.GetProperty("model").GetString()!,
        Data = root.GetProperty("data").GetString()!,
        Output = root.GetProperty("output").GetString()!,
        Method = Value<TrainingMethod>(root, "method"),
        Initialize = root.GetProperty("initialize").GetBoolean(),
        Compute = Value<ComputeType>(root, "compute"),
        MasterWeights = root.GetProperty("master_weights").GetBoolean(),
        Optimizer = root.GetProperty("optimizer").GetString()!,
        SequenceLength = root.GetProperty("sequence_length").GetInt32(),
        MicroBatch = root.GetProperty("micro_batch").GetInt32(),
        Accumulation = root.GetProperty("accumulation").GetInt32(),
        Checkpointing = Value<Checkpointing>(root, "checkpointing"),
        Steps = root.TryGetProperty("steps", out var steps) ? steps.GetInt32() : null,
        Epochs = root.GetProperty("epochs").GetDouble(),
        LearningRate = root.GetProperty("learning_rate").GetDouble(),
        Schedule = Value<LearningSchedule>(root, "schedule"),
        Warmup = root.GetProperty("warmup").GetInt32(),
        FinalRate = root.GetProperty("final_rate").GetDouble(),
        WeightDecay = root.GetProperty("weight_decay").GetDouble(),
        Beta1 = root.GetProperty("beta1").GetDouble(),
        Beta2 = root.GetProperty("beta2").GetDouble(),
        Clip = root.GetProperty("clip").GetDouble(),
        Seed = root.GetProperty("seed").GetInt32(),
        Pack = root.GetProperty("pack").GetBoolean(),
        Validation = root.GetProperty("validation").GetDouble(),
        ValidateEvery = root.GetProperty("validate_every").GetInt32(),
        SaveEvery = root.GetProperty("save_every").GetInt32(),
        Resume = root.GetProperty("resume").GetBoolean(),
        Threads = root.TryGetProperty("threads", out var threads) ? threads.GetInt32() : null,
        Device = Value<TrainingDevice>(root, "device"),
        Adapter = root.TryGetProperty("adapter", out var adapter) ? ReadAdapter(adapter) : null,
        Quantization = root.TryGetProperty("quantization", out var quantization) ? new(quantization.GetProperty("format").GetString()!, quantization.GetProperty("distill").GetBoolean()) : null,
    };

    private static void Write(Utf8JsonWriter json, AdapterJob adapter)
    {
        json.WriteStartObject("adapter");
        json.WriteNumber("rank", adapter.Rank);
        json.WriteNumber("alpha", adapter.Alpha);
        json.WriteStartArray("targets");
        foreach (var target in adapter.Targets)
            json.WriteStringValue(target);
        json.WriteEndArray();
        json.WriteBoolean("merge", adapter.Merge);
        json.WriteEndObject();
    }

    private static AdapterJob ReadAdapter(JsonElement adapter) => new(
        adapter.GetProperty("rank").GetInt32(),
        adapter.GetProperty("alpha").GetDouble(),
        [.. adapter.GetProperty("targets").EnumerateArray().Select(target => target.GetString()!)],
        adapter.GetProperty("merge").GetBoolean());

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static T Value<T>(JsonElement root, string name) where T : struct, Enum => Enum.Parse<T>(root.GetProperty(name).GetString()!, ignoreCase: true);
}
