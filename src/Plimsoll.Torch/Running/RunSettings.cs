using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Plimsoll.Models;
using Plimsoll.Planning.Training.Jobs;

namespace Plimsoll.Torch.Running;

/// <summary>What two runs must have in common so that one can go on where the other stopped.</summary>
internal static class RunSettings
{
    /// <summary>By name, as text; models and data by their hashes.</summary>
    public static ImmutableDictionary<string, string> Of(TrainingJob job, LocatedModel located)
    {
        var settings = new Dictionary<string, string>
        {
            ["model"] = Model(located),
            ["data"] = Data(job.Data),
            ["method"] = job.Method.ToString(),
            ["precision"] = job.Compute.ToString(),
            ["optimizer"] = job.Optimizer,
            ["context"] = Text(job.SequenceLength),
            ["batch"] = Text(job.MicroBatch),
            ["accumulate"] = Text(job.Accumulation),
            ["seed"] = Text(job.Seed),
            ["packing"] = job.Pack ? "on" : "off",
            ["validation"] = job.Validation.ToString("R", CultureInfo.InvariantCulture),
        };
        if (job.Quantization is { } quantization)
        {
            settings["to"] = quantization.Format;
            settings["distill"] = quantization.Distill ? "on" : "off";
        }
        if (job.Adapter is { } adapter)
        {
            settings["rank"] = Text(adapter.Rank);
            settings["targets"] = string.Join(',', adapter.Targets);
        }
        return settings.ToImmutableDictionary();
    }

    /// <summary>Every tensor by name, shape and type.</summary>
    private static string Model(LocatedModel located)
    {
        var tensors = located.Shape.Tensors.Select(tensor => $"{tensor.Name} {string.Join('x', tensor.Dimensions)}")
            .Concat(located.Checkpoint?.Tensors.Select(tensor => $"{tensor.Name} {tensor.Format.Name} {tensor.Bytes}") ?? []);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', tensors))));
    }

    private static string Data(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
