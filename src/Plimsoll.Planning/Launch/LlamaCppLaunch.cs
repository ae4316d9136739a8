using System.Globalization;
using Plimsoll.Planning.Engines;

namespace Plimsoll.Planning.Launch;

/// <summary><c>llama-server</c>, with <c>rpc-server</c> on the other machines where one does not hold the GPUs.</summary>
internal static class LlamaCppLaunch
{
    /// <summary>The port of <c>rpc-server</c> when none is given. Source: llama.cpp tools/rpc/rpc-server.cpp.</summary>
    private const int RpcPort = 50052;

    /// <summary>llama.cpp's logical batch (<c>-b</c>); a larger micro-batch needs it raised. Source: tools/server/README.md.</summary>
    private const int DefaultBatch = 2048;

    public static LaunchConfiguration Create(LaunchRequest launch)
    {
        var cluster = LaunchCluster.Of(launch.Request.Parallel.Pipeline, launch.GpusPerNode);
        var (command, remark) = Command(launch);
        var lines = LaunchHeader.Lines(launch, cluster, LaunchTools.LlamaCpp).ToList();
        if (remark is not null)
            lines.Add(remark);
        var text = "#!/bin/sh\n" + string.Concat(lines.Select(line => $"# {line}\n")) + (cluster.Nodes == 1 ? "" : Rpc(cluster)) + command.ToScript() + "\n";
        return new("llama.cpp", "llama-server.sh", command.ToString(), text) { Notes = lines };
    }

    public static (CommandLine Command, string? Remark) Command(LaunchRequest launch)
    {
        var request = launch.Request;
        var options = request.LlamaCpp;
        var cluster = LaunchCluster.Of(request.Parallel.Pipeline, launch.GpusPerNode);
        var weights = LaunchWeights.Gguf(launch);
        var command = new CommandLine(LaunchTools.LlamaCpp, ["llama-server"])
            .With(launch.Model is { IsGguf: true, IsOnHub: true } ? "-hf" : "-m", weights.Reference)
            // The layers and, behind them, the output layer, which counts as one more.
            .With("-ngl", options.GpuLayers ?? request.Model.Layers.Length + 1)
            // One pool for all slots: llama-server divides it, or shares it with --kv-unified.
            .With("-c", checked(request.Context * request.Batch))
            .With("-np", request.Batch)
            .With(options.UnifiedKv ? "--kv-unified" : "--no-kv-unified")
            .With("-ctk", CacheType(request, request.KvFormat.Key.Name))
            .With("-ctv", CacheType(request, request.KvFormat.Value.Name))
            .With("-fa", request.FlashAttention ? "on" : "off")
            .With("-ub", options.MicroBatch);
        if (options.MicroBatch > DefaultBatch)
            command = command.With("-b", options.MicroBatch);
        if (options.CpuExpertLayers > 0)
            command = command.With("--n-cpu-moe", options.CpuExpertLayers);
        command = command.WithIf(options.FullWindowCache, "--swa-full");
        if (request.Parallel.Pipeline > 1)
            command = command.With("-sm", "layer").With("-ts", Split(request));
        if (cluster.Nodes > 1)
            command = command.With("--rpc", $"\"{string.Join(',', Hosts(cluster).Select(host => $"${host}:{RpcPort.ToString(CultureInfo.InvariantCulture)}"))}\"");
        return (command, weights.Remark);
    }

    /// <summary>The shares that were planned; without them llama.cpp goes by the memory that happens to be free.</summary>
    private static string Split(InferenceRequest request)
    {
        var shares = request.LlamaCpp.TensorSplit.Count > 0 ? request.LlamaCpp.TensorSplit : [.. Enumerable.Repeat(1.0, request.Parallel.Pipeline)];
        return string.Join(',', shares.Select(share => share.ToString("0.####", CultureInfo.InvariantCulture)));
    }

    private static string CacheType(InferenceRequest request, string format) => LaunchTools.LlamaCpp.Value("kv_cache", format) ?? throw new LaunchRefusedException(
        $"llama.cpp has no {request.KvFormat} cache",
        $"--kv-precision takes {string.Join(", ", LaunchTools.LlamaCpp.Words("kv_cache").Select(word => word.ToLowerInvariant()))} with it");

    private static IEnumerable<string> Hosts(LaunchCluster cluster) =>
        Enumerable.Range(1, cluster.Nodes - 1).Select(node => string.Create(CultureInfo.InvariantCulture, $"RPC_HOST_{node}"));

    private static string Rpc(LaunchCluster cluster)
    {
        var hosts = string.Concat(Hosts(cluster).Select(host => $": \"${{{host}:?set it to the address of that machine}}\"\n"));
        return string.Create(CultureInfo.InvariantCulture, $$"""
            # Build llama.cpp with -DGGML_RPC=ON. On {{(cluster.Nodes == 2 ? "the second machine, which then offers its" : "every other machine, each of which then offers its")}} {{cluster.GpusPerNode}} GPUs:
            #   rpc-server -H 0.0.0.0 -p {{RpcPort}}
            # rpc-server has no password and no encryption: a private network only.
            # llama.cpp lists the GPUs of the other machines before its own; the shares of -ts follow that order.
            {{hosts}}
            """);
    }
}
