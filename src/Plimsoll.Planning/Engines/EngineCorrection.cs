using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Plimsoll.Checkpoints;
using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Engines;

/// <summary>One constant of an engine as it was measured on the user's own machine.</summary>
/// <param name="Engine">The engine's id: <c>vllm</c>.</param>
/// <param name="Since">The first version of the profile that it corrects.</param>
/// <param name="Constant">Its name in <c>engines.json</c>: <c>non_torch</c>.</param>
/// <param name="Source">Which log it was read from, and when.</param>
public sealed record EngineCorrection(string Engine, string Since, string Constant, ByteRange Bytes, string Source);

/// <summary>The user's file of corrections: <c>{"schema": "plimsoll.engines/1", "corrections": [...]}</c>.</summary>
public static class EngineCorrections
{
    /// <summary>A few hundred corrections; no person has more engines and versions.</summary>
    private const long MaxBytes = 1 << 20;

    /// <summary>16 TiB: no engine constant comes near it.</summary>
    private const double MaxMebibytes = 1 << 24;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="CheckpointFormatException">It is not such a file.</exception>
    public static ImmutableArray<EngineCorrection> Read(Stream stream, string path)
    {
        if (stream.CanSeek && stream.Length > MaxBytes)
            throw new CheckpointFormatException(path, null, $"corrections of engine constants in at most {MaxBytes} bytes", $"{stream.Length} bytes");
        try
        {
            using var document = JsonDocument.Parse(stream);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("corrections", out var list) || list.ValueKind != JsonValueKind.Array)
                throw new CheckpointFormatException(path, null, "an object with a list \"corrections\"", document.RootElement.ValueKind.ToString());
            return [.. list.EnumerateArray().Select((correction, index) => ReadOne(correction, $"{path}, correction {index + 1}"))];
        }
        catch (JsonException failure)
        {
            throw new CheckpointFormatException(path, failure.BytePositionInLine, "a JSON document", failure.Message, failure);
        }
    }

    /// <summary>The older list with the newer values in place of those they replace.</summary>
    public static ImmutableArray<EngineCorrection> Merge(IEnumerable<EngineCorrection> older, IEnumerable<EngineCorrection> newer)
    {
        var merged = older.ToList();
        foreach (var correction in newer)
        {
            merged.RemoveAll(old => old.Engine == correction.Engine && old.Since == correction.Since && old.Constant == correction.Constant);
            merged.Add(correction);
        }
        return [.. merged];
    }

    /// <summary>Writes the list beside the file and renames it: a reader sees the old list or the new one.</summary>
    public static void Save(string path, IEnumerable<EngineCorrection> corrections)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                Write(stream, corrections);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static void Write(Stream stream, IEnumerable<EngineCorrection> corrections)
    {
        using (var json = new Utf8JsonWriter(stream, Indented))
        {
            json.WriteStartObject();
            json.WriteString("schema", "plimsoll.engines/1");
            json.WriteStartArray("corrections");
            foreach (var correction in corrections)
            {
                json.WriteStartObject();
                json.WriteString("engine", correction.Engine);
                json.WriteString("since", correction.Since);
                json.WriteString("constant", correction.Constant);
                json.WriteNumber("low_mib", new ByteSize(correction.Bytes.Low).InMiB);
                json.WriteNumber("expected_mib", new ByteSize(correction.Bytes.Expected).InMiB);
                json.WriteNumber("high_mib", new ByteSize(correction.Bytes.High).InMiB);
                json.WriteString("source", correction.Source);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        stream.Write(Encoding.UTF8.GetBytes("\n"));
    }

    private static EngineCorrection ReadOne(JsonElement correction, string where)
    {
        if (correction.ValueKind != JsonValueKind.Object)
            throw new CheckpointFormatException(where, null, "an object", correction.ValueKind.ToString());
        var (low, expected, high) = (Mebibytes("low_mib"), Mebibytes("expected_mib"), Mebibytes("high_mib"));
        if (low > expected || expected > high)
            throw new CheckpointFormatException(where, null, "low_mib <= expected_mib <= high_mib", $"{low}, {expected}, {high}");
        var bytes = new ByteRange(ByteSize.FromMiB(low).Bytes, ByteSize.FromMiB(expected).Bytes, ByteSize.FromMiB(high).Bytes);
        return new(Text("engine"), Text("since"), Text("constant"), bytes, Text("source"));

        string Text(string name) => correction.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new CheckpointFormatException(where, null, $"a text \"{name}\"", value.ValueKind == JsonValueKind.Undefined ? "none" : value.GetRawText());

        double Mebibytes(string name) => correction.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number is >= 0 and <= MaxMebibytes
            ? number
            : throw new CheckpointFormatException(where, null, $"\"{name}\", a number of MiB from 0 to {MaxMebibytes}", value.ValueKind == JsonValueKind.Undefined ? "none" : value.GetRawText());
    }
}
