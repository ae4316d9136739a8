using System.Globalization;
using Plimsoll.Planning.Training;

namespace Plimsoll.Cli.Plan;

/// <summary>Reads <c>--parallel</c> of a training run: <c>dp=4,tp=2,zero=3</c>, <c>dp=8,fsdp</c>, <c>tp=8,sp</c>.</summary>
internal static class TrainingSplit
{
    private const string Form = "dp=4,tp=2,pp=1,ep=1,sp,zero=0..3 or fsdp, shard=8";

    public static TrainingParallelism Parse(string? text, int gpuCount)
    {
        // Several GPUs without a word: what FSDP and ZeRO 3 do.
        if (text is null)
            return new(gpuCount) { Sharding = gpuCount > 1 ? Sharding.Weights : Sharding.None };
        var degrees = new Dictionary<string, int>();
        var sharding = Sharding.None;
        var sequence = false;
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var pair = part.ToLowerInvariant().Split('=');
            if (pair is ["fsdp"] or ["fsdp", "full"])
                sharding = Sharding.Weights;
            else if (pair is ["sp"] or ["sp", "on"])
                sequence = true;
            else if (pair is ["zero", var stage] && int.TryParse(stage, NumberStyles.None, CultureInfo.InvariantCulture, out var level) && level <= 3)
                sharding = (Sharding)level;
            else if (pair is ["dp" or "tp" or "pp" or "ep" or "shard", var count] && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var degree) && degree is >= 1 and <= 65_536)
                degrees[pair[0]] = degree;
            else
                throw CliException.WrongUsage($"--parallel takes {Form}; '{part}' is not one of them");
        }
        var (tensor, pipeline) = (degrees.GetValueOrDefault("tp", 1), degrees.GetValueOrDefault("pp", 1));
        var data = degrees.GetValueOrDefault("dp", Math.Max(1, gpuCount / (tensor * pipeline)));
        var parallel = new TrainingParallelism(data, tensor, pipeline, degrees.GetValueOrDefault("ep", 1))
        {
            Sharding = sharding,
            Sequence = sequence,
            ShardGroup = degrees.TryGetValue("shard", out var group) ? group : null,
        };
        return gpuCount == 1 || parallel.Devices == gpuCount
            ? parallel
            : throw CliException.WrongUsage(string.Create(CultureInfo.InvariantCulture, $"--parallel {text} uses {parallel.Devices} GPUs, --gpu names {gpuCount}"));
    }
}
