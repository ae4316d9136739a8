using System.Globalization;
using Plimsoll.Numerics;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Launch;

/// <summary>The comment block on top of every file: what was planned, on which machines, how much memory each rank takes.</summary>
internal static class LaunchHeader
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    public static IEnumerable<string> Lines(LaunchRequest launch, LaunchCluster cluster, LaunchTool tool)
    {
        var request = launch.Request;
        var sequences = request.Batch == 1 ? "1 sequence" : string.Create(Culture, $"{request.Batch} sequences");
        yield return string.Create(Culture, $"{request.Model.Id}, {request.Weights.Precision}, {sequences} of {request.Context} tokens, KV cache {request.KvFormat}");
        foreach (var line in Machines(cluster, launch.Device?.Gpu.Name, launch.Device?.Gpu.UsableMemory, launch.Plan))
            yield return line;
        yield return $"Option names: {tool.Name} {tool.Version}.";
    }

    public static IEnumerable<string> Machines(LaunchCluster cluster, string? gpu, ByteSize? usable, MemoryPlan plan)
    {
        var kind = gpu is null ? "" : $" ({gpu})";
        yield return $"{cluster}{kind}.";
        var room = usable is { } bytes ? $" of {bytes} usable" : "";
        foreach (var equal in plan.Devices.GroupBy(device => device.Peak))
            yield return $"Memory planned on {Ranks([.. equal.Select(device => device.Name)])}: {new ByteSize(equal.Key.Expected)}{room} ({new ByteSize(equal.Key.Low)} to {new ByteSize(equal.Key.High)}).";
        if (plan.Host is { Peak.Expected: > 0 } host)
            yield return $"Memory planned in {host.Name}: {new ByteSize(host.Peak.Expected)}.";
    }

    /// <summary>Devices that carry the same load, as <c>GPU 3, 5, 7</c>.</summary>
    private static string Ranks(IReadOnlyList<string> devices)
    {
        if (devices is ["GPU"])
            return "the GPU";
        var stem = devices[0][..(devices[0].LastIndexOf(' ') + 1)];
        return devices.All(device => device.StartsWith(stem, StringComparison.Ordinal))
            ? stem + string.Join(", ", devices.Select(device => device[stem.Length..]))
            : string.Join(", ", devices);
    }
}
