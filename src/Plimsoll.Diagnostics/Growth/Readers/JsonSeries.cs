using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Plimsoll.Diagnostics.Growth.Readers;

/// <summary>JSON of gpustat, nvitop and amd-smi, JSON lines of trainers, ranges of Prometheus, and Kineto traces: one document, or one after another.</summary>
internal static class JsonSeries
{
    public static ImmutableArray<MemorySeries> Read(string text)
    {
        var rows = new List<Dictionary<string, string>>();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text.TrimStart('\uFEFF')), new JsonReaderOptions { AllowMultipleValues = true, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
        try
        {
            while (reader.Read())
            {
                using var document = JsonDocument.ParseValue(ref reader);
                var root = document.RootElement;
                if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("traceEvents", out var events) && events.ValueKind == JsonValueKind.Array)
                    return KinetoSeries.Read(root, events);
                if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object && data.TryGetProperty("result", out var results))
                    return PrometheusSeries.ReadRanges(results);
                foreach (var row in root.ValueKind == JsonValueKind.Array ? root.EnumerateArray().AsEnumerable() : [root])
                    AddRows(rows, row);
            }
        }
        catch (JsonException)
        {
            // What follows is cut or no JSON: the rows before it count.
        }
        return Build(rows);
    }

    /// <summary>One row per member of an inner list such as gpustat's <c>gpus</c>, with the fields around it; otherwise the object is the row.</summary>
    private static void AddRows(List<Dictionary<string, string>> rows, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return;
        var own = new Dictionary<string, string>();
        var inner = new List<JsonElement>();
        foreach (var member in element.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Array)
                AddField(own, member);
            else if (member.Name is "gpus" or "devices" or "gpu_data")
                inner.AddRange(member.Value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object));
        }
        if (inner.Count == 0)
            rows.Add(own);
        foreach (var device in inner)
        {
            var row = new Dictionary<string, string>(own);
            foreach (var member in device.EnumerateObject())
                AddField(row, member);
            rows.Add(row);
        }
    }

    /// <summary>amd-smi nests: <c>"mem_usage": {"used_vram": {"value": 283, "unit": "MB"}}</c>.</summary>
    private static void AddField(Dictionary<string, string> row, JsonProperty member)
    {
        if (member.Value.ValueKind is JsonValueKind.Number or JsonValueKind.String)
        {
            row[member.Name] = member.Value.ToString();
        }
        else if (member.Value.ValueKind == JsonValueKind.Object && member.Value.TryGetProperty("value", out var value))
        {
            row[member.Name] = member.Value.TryGetProperty("unit", out var unit) ? $"{value} {unit}" : value.ToString();
        }
        else if (member.Value.ValueKind == JsonValueKind.Object)
        {
            foreach (var nested in member.Value.EnumerateObject())
                AddField(row, nested);
        }
    }

    private static ImmutableArray<MemorySeries> Build(List<Dictionary<string, string>> rows)
    {
        string[] headers = [.. rows.SelectMany(row => row.Keys).Distinct()];
        if (headers.Length == 0 || SeriesTable.Create(headers) is not { HasMemory: true } table)
            return [];
        return table.Build([.. rows.Select(row => Array.ConvertAll(headers, header => row.GetValueOrDefault(header, "")))]);
    }
}
