using System.Collections.Immutable;
using System.Globalization;
using Plimsoll.Checkpoints.Safetensors;
using Plimsoll.Quantization.Output;

namespace Plimsoll.Quantization.HuggingFace;

/// <summary>Cuts a list of jobs into safetensors files. What one job writes stays together: loaders look for the scales of a weight in its own file.</summary>
internal static class Shards
{
    public static (ImmutableArray<OutputFile> Files, ImmutableArray<SideFile> Index) Plan(
        ImmutableArray<WeightJob> jobs, long maxBytes, IReadOnlyDictionary<string, string> metadata)
    {
        var shards = Cut(jobs, maxBytes);
        var files = shards.Select((shard, index) => File(Name(index, shards.Count), shard, metadata)).ToImmutableArray();
        return (files, files.Length > 1 ? [Index(files)] : []);
    }

    private static List<List<WeightJob>> Cut(ImmutableArray<WeightJob> jobs, long maxBytes)
    {
        var shards = new List<List<WeightJob>> { new() };
        var bytes = 0L;
        foreach (var job in jobs)
        {
            var size = job.Outputs.Sum(output => output.Bytes);
            if (shards[^1].Count > 0 && bytes + size > maxBytes)
            {
                shards.Add([]);
                bytes = 0;
            }
            shards[^1].Add(job);
            bytes += size;
        }
        return shards;
    }

    private static OutputFile File(string name, List<WeightJob> jobs, IReadOnlyDictionary<string, string> metadata)
    {
        var plan = SafetensorsWriter.Plan(jobs.SelectMany(job => job.Outputs).Select(output => new SafetensorsEntry(output.Name, output.Format, output.Dimensions)), metadata);
        return new(name, plan.Header, [.. jobs], plan.Places, plan.Length);
    }

    private static string Name(int index, int count) => count == 1
        ? "model.safetensors"
        : string.Create(CultureInfo.InvariantCulture, $"model-{index + 1:D5}-of-{count:D5}.safetensors");

    private static SideFile Index(ImmutableArray<OutputFile> files)
    {
        var byName = files.SelectMany(file => file.Jobs.SelectMany(job => job.Outputs).Select(output => (output, file.Name))).OrderBy(entry => entry.output.Name, StringComparer.Ordinal).ToList();
        return new("model.safetensors.index.json", JsonText.Write(json =>
        {
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", byName.Sum(entry => entry.output.Bytes));
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            foreach (var (output, file) in byName)
                json.WriteString(output.Name, file);
            json.WriteEndObject();
        }), null);
    }
}
