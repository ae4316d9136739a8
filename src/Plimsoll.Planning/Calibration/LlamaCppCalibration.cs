using System.Globalization;
using System.Text.RegularExpressions;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Calibration;

/// <summary>A plan of llama.cpp beside its load log: every buffer has a line of its own.</summary>
internal static partial class LlamaCppCalibration
{
    /// <summary>Above it the unaccounted memory is another process: contexts of CUDA, ROCm and Vulkan lie below 1 GiB.</summary>
    private const long LargestContext = 4L << 30;

    [GeneratedRegex(@"\b(?<cache>K|V|c\^KV)\s*\((?<type>\w+)\)", RegexOptions.CultureInvariant)]
    private static partial Regex CacheTypes { get; }

    public static CalibrationDraft Compare(InferenceRequest request, MemoryPlan plan, EngineLog log)
    {
        var draft = new CalibrationDraft();
        var gpus = log.Of(LogTerm.Compute).Any(size => !size.IsHost);
        AddWeights(draft, plan, log);
        draft.AddSum("KV cache", Sum(plan, "KV cache", devices: true, host: true), log.Of(LogTerm.KvCache));
        draft.AddSum("recurrent state", Sum(plan, "recurrent state", devices: true, host: true), log.Of(LogTerm.RecurrentState));
        if (gpus)
            draft.AddSum("compute buffer", Sum(plan, "compute buffer", devices: true, host: false), log.Of(LogTerm.Compute).Where(size => !size.IsHost));
        draft.AddLargest("host compute buffer", Sum(plan, "host compute buffer", devices: false, host: true), log.Of(LogTerm.Compute).Where(size => size.IsHost));
        draft.AddSum("output buffer", Sum(plan, "output buffer", devices: false, host: true), log.Of(LogTerm.Output));
        draft.AddConstant("CUDA context", "cuda_context", request.Engine.Bytes("cuda_context"), Contexts(log));
        AddSettings(draft, request, plan, log, gpus);
        return draft;
    }

    private static void AddWeights(CalibrationDraft draft, MemoryPlan plan, EngineLog log)
    {
        var buffers = log.Of(LogTerm.Weights).ToList();
        draft.AddSum("weights on GPU", Rounded(Sum(plan, "weights", devices: true, host: false)), buffers.Where(size => !size.IsHost));
        // Mapped files: with several, each buffer covers a whole file, tensors of the GPU included.
        if (buffers.Where(size => size.IsHost).ToList() is [var single])
            draft.AddSum("weights in RAM", Rounded(Sum(plan, "weights", devices: false, host: true)), [single]);

        // The mix of a file differs from its name's by some tensors.
        static ByteRange Rounded(ByteRange weights) => ByteRange.Around(weights.Expected, 0.995, 1.005);
    }

    /// <summary>What the driver takes: printed as unaccounted, or what nvidia-smi counts beyond the buffers.</summary>
    private static IEnumerable<LoggedSize> Contexts(EngineLog log)
    {
        var printed = log.Of(LogTerm.Context).Where(Plausible).ToList();
        if (printed.Count > 0)
            return printed;
        return log.Of(LogTerm.Process)
            .Select(process => process with { Bytes = process.Bytes - log.Sizes.Where(size => size.Place == $"CUDA{process.Place}").Sum(size => size.Bytes) })
            .Where(context => Plausible(context) && log.Sizes.Any(size => size.Place == $"CUDA{context.Place}"));

        static bool Plausible(LoggedSize size) => size.Bytes is > 0 and <= LargestContext;
    }

    private static void AddSettings(CalibrationDraft draft, InferenceRequest request, MemoryPlan plan, EngineLog log, bool gpus)
    {
        draft.CompareCount("n_ctx", log.Setting("n_ctx"), request.Context * request.Batch, "--context");
        draft.CompareCount("n_ubatch", log.Setting("n_ubatch"), request.LlamaCpp.MicroBatch, "--ubatch");
        if (log.Setting("flash_attn") is { } flash && flash == "1" != request.FlashAttention)
            draft.AddFinding(flash == "1" ? "the log ran with flash attention, the plan without: leave --no-flash-attention out" : "the log ran without flash attention, the plan with it: add --no-flash-attention");
        AddCacheTypes(draft, request, log);
        var layers = request.Model.Layers.Length + 1;
        if (log.Setting("offloaded_layers")?.Split('/') is [var on, var of])
        {
            if (int.TryParse(of, CultureInfo.InvariantCulture, out var logged) && logged != layers)
                draft.AddFinding(string.Create(CultureInfo.InvariantCulture, $"the log's model has {logged - 1} layers, the planned one {layers - 1}: another model was planned"));
            else
                draft.CompareCount("layers on the GPU", on, request.LlamaCpp.GpuLayers ?? layers, "--gpu-layers");
        }
        var devices = log.Of(LogTerm.Compute).Where(size => !size.IsHost).Select(size => size.Place).Distinct().Count();
        if (gpus && devices != plan.Devices.Length)
            draft.AddFinding(string.Create(CultureInfo.InvariantCulture, $"the log ran on {devices} GPUs, the plan on {plan.Devices.Length}: add --parallel pp={devices}, or --gpu \"{devices}x NAME\""));
    }

    private static void AddCacheTypes(CalibrationDraft draft, InferenceRequest request, EngineLog log)
    {
        var types = CacheTypes.Matches(log.Setting("kv_types") ?? "").Select(match => match.Groups["type"].Value).ToList();
        if (types.Count == 0 || types.Select(NumberFormats.Find).Any(format => format is null))
            return;
        var logged = $"{types[0]}/{types[^1]}";
        if (NumberFormats.Find(types[0]) != request.KvFormat.Key || NumberFormats.Find(types[^1]) != request.KvFormat.Value)
            draft.CompareSetting("a KV cache of", logged, request.KvFormat.ToString(), $"--kv-precision {logged}");
    }

    private static ByteRange Sum(MemoryPlan plan, string name, bool devices, bool host)
    {
        var places = new List<DevicePlan>();
        if (devices)
            places.AddRange(plan.Devices);
        if (host && plan.Host is { } ram)
            places.Add(ram);
        return places.Select(place => place.PeakPhase.Sum(line => line.Name == name)).Aggregate(default(ByteRange), (sum, part) => sum + part);
    }
}
