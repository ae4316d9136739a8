using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Planning.Engines;

namespace Plimsoll.Planning.Launch;

/// <summary><c>vllm serve</c>: every value that the plan rests on is written out, so that another version's defaults change nothing.</summary>
internal static class VllmLaunch
{
    /// <summary>The port of Ray's head process when none is given. Source: <c>ray start</c>, option <c>--port</c>.</summary>
    private const int RayPort = 6379;

    public static LaunchConfiguration Create(LaunchRequest launch)
    {
        var cluster = LaunchCluster.Of(launch.Request.Parallel.Devices, launch.GpusPerNode);
        var weights = Weights(launch);
        var command = Command(launch, cluster, weights);
        var lines = LaunchHeader.Lines(launch, cluster, LaunchTools.Vllm).ToList();
        if (weights.Remark is { } remark)
            lines.Add(remark);
        if (launch.Request.Parallel.Tensor > cluster.GpusPerNode)
            lines.Add("Tensor parallelism crosses machines here: it wants InfiniBand or better; pipeline parallelism between machines needs less.");
        var text = "#!/bin/sh\n" + string.Concat(lines.Select(line => $"# {line}\n")) + (cluster.Nodes == 1 ? "" : Ray(cluster)) + command.ToScript() + "\n";
        return new("vllm", "vllm.sh", command.ToString(), text) { Notes = lines };
    }

    /// <summary>The command alone, for other targets that wrap it.</summary>
    public static (CommandLine Command, string? Remark) Command(LaunchRequest launch)
    {
        var weights = Weights(launch);
        return (Command(launch, LaunchCluster.Of(launch.Request.Parallel.Devices, launch.GpusPerNode), weights), weights.Remark);
    }

    private static CommandLine Command(LaunchRequest launch, LaunchCluster cluster, LaunchWeights weights)
    {
        var request = launch.Request;
        var (parallel, options) = (request.Parallel, request.Vllm);
        var command = new CommandLine(LaunchTools.Vllm, ["vllm", "serve", weights.Reference]);
        if (DataType(request.Weights.Precision) is { } type)
            command = command.With("--dtype", type);
        if (OnlineQuantization(launch) is { } method)
            command = command.With("--quantization", method);
        command = command
            .With("--max-model-len", request.Context)
            .With("--kv-cache-dtype", CacheType(request))
            .With("--gpu-memory-utilization", (options.Utilization ?? request.Engine.Number("utilization")).ToString("0.####", CultureInfo.InvariantCulture))
            .With("--max-num-batched-tokens", options.MaxBatchedTokens ?? (int)request.Engine.Number("max_batched_tokens"))
            .With("--max-num-seqs", options.MaxSequences ?? (int)request.Engine.Number("max_sequences"))
            .WithIf(options.EnforceEager, "--enforce-eager");
        if (parallel.Tensor > 1)
            command = command.With("--tensor-parallel-size", parallel.Tensor);
        if (parallel.Pipeline > 1)
            command = command.With("--pipeline-parallel-size", parallel.Pipeline);
        command = command.WithIf(ExpertParallel(parallel), "--enable-expert-parallel");
        return cluster.Nodes == 1 ? command : command.With("--distributed-executor-backend", "ray");
    }

    private static LaunchWeights Weights(LaunchRequest launch)
    {
        var precision = launch.Request.Weights.Precision;
        if (precision.StartsWith("gguf:", StringComparison.Ordinal))
            throw new LaunchRefusedException($"vLLM reads GGUF files only as an experiment, and slowly; {precision} is not launched with it", "use --engine llama.cpp, or --precision awq or gptq");
        if (precision == "nf4" && launch.Request.Model.Tensors.Any(tensor => tensor.Role == TensorRole.Expert))
            throw new LaunchRefusedException("vLLM converts the routed experts too, and nf4 was planned with experts in 16 bits", "--precision nf4+experts");
        if (DataType(precision) is not null || OnlineQuantization(launch) is not null)
            return LaunchWeights.Unquantized(launch);
        return LaunchTools.Vllm.Value("checkpoint", Kind(precision)) is not null
            ? LaunchWeights.Quantized(launch)
            : throw LaunchWeights.NotLaunchable(launch, "vLLM", "awq, gptq, fp8:channel, ct:w4a16, nf4 or bf16");
    }

    private static string? DataType(string precision) => LaunchTools.Vllm.Value("dtype", precision);

    /// <summary>Methods that vLLM applies itself while it loads an unquantized checkpoint; a checkpoint quantized so before needs no option.</summary>
    private static string? OnlineQuantization(LaunchRequest launch) =>
        launch.Model.StoredPrecision == launch.Request.Weights.Precision ? null : LaunchTools.Vllm.Value("online_quantization", launch.Request.Weights.Precision);

    /// <summary>The family of a precision: <c>gptq</c> of <c>gptq:4bit-g128</c>.</summary>
    private static string Kind(string precision) => precision.Contains(':', StringComparison.Ordinal) ? precision[..(precision.IndexOf(':', StringComparison.Ordinal) + 1)] : precision;

    private static string CacheType(InferenceRequest request)
    {
        if (request.KvFormat.Key == request.KvFormat.Value && LaunchTools.Vllm.Value("kv_cache", request.KvFormat.Key.Name) is { } type)
            return type;
        throw new LaunchRefusedException($"vLLM has no {request.KvFormat} cache", $"--kv-precision {string.Join(" or ", LaunchTools.Vllm.Words("kv_cache").Select(word => word.ToLowerInvariant()))}, for keys and values alike");
    }

    /// <summary>vLLM deals experts out over the tensor-parallel ranks, all or none.</summary>
    private static bool ExpertParallel(Parallelism parallel)
    {
        if (parallel.Expert > 1 && parallel.Expert != parallel.Tensor)
            throw new LaunchRefusedException(
                string.Create(CultureInfo.InvariantCulture, $"vLLM deals experts out over its tensor-parallel ranks: ep={parallel.Expert} with tp={parallel.Tensor} cannot be started"),
                string.Create(CultureInfo.InvariantCulture, $"--parallel tp={parallel.Expert},pp={parallel.Pipeline},ep={parallel.Expert}"));
        return parallel.Expert > 1;
    }

    private static string Ray(LaunchCluster cluster) => string.Create(CultureInfo.InvariantCulture, $$"""
        # On every machine the same vLLM, the same model at the same path, and a private network: Ray's traffic is not encrypted.
        # HEAD_NODE_IP is the address of the first machine.
        : "${HEAD_NODE_IP:?set it to the address of the first machine}"
        # On {{(cluster.Nodes == 2 ? "the second machine" : $"each of the other {cluster.Nodes - 1} machines")}}, once the first has started Ray:
        #   ray start --block --address="$HEAD_NODE_IP:{{RayPort}}" --num-gpus={{cluster.GpusPerNode}}
        # On the first:
        ray start --head --port={{RayPort}} --num-gpus={{cluster.GpusPerNode}}
        # 'ray status' must show {{cluster.Ranks}} GPUs now.

        """);
}
