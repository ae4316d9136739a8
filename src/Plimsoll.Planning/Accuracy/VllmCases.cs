using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Numerics;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Kv;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Start-up logs of vLLM and SGLang: weights, pool size, and how many tokens the pool holds.</summary>
internal static class VllmCases
{
    public static IEnumerable<CaseResult> Evaluate(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var model = MemoryCases.Model(measured, findModel);
        var results = new List<CaseResult>();
        Add("kv_tokens", () => Tokens(measured, model));
        Add("weights", () => Weights(measured, model));
        Add("kv_pool", () => Pool(measured, model));
        return results;

        void Add(string quantity, Func<CaseResult?> evaluate)
        {
            try
            {
                if (evaluate() is { } result)
                    results.Add(result);
            }
            catch (CaseRefusedException refusal)
            {
                results.Add(CaseResult.Refuse(measured, quantity, refusal.Message));
            }
        }
    }

    /// <summary>Bytes that the logged number of tokens needs, against the logged size of the pool.</summary>
    private static CaseResult? Tokens(MeasuredCase measured, ModelShape model)
    {
        if (measured.MeasuredMiB("kv_mib") is not { } pool || pool <= 0)
            return null;
        var blocks = measured.Measured("kv_blocks") * (measured.Measured("block_size") ?? 16);
        if ((measured.Measured("kv_tokens") ?? blocks) is not { } tokens)
            return null;
        if (model.Layers.Any(layer => layer.Recurrent is not null || layer.Attention is { Window: not null } or { SharesKeyValues: true }))
            throw new CaseRefusedException("in hybrid and sliding-window pools the printed tokens are those of one group of layers");
        var perToken = KvCache.BytesPerToken(model.Layers, Format(measured), LatentCacheLayout.Compressed, TensorParallel(measured));
        return CaseResult.Compare(measured, "kv_tokens", pool, ByteRange.Around(tokens * perToken, 0.995, 1.005));
    }

    private static CaseResult? Weights(MeasuredCase measured, ModelShape model)
    {
        if (measured.MeasuredMiB("weights_mib") is not { } weights)
            return null;
        var request = Request(measured, model);
        var predicted = InferencePlanner.Plan(request).Fullest.Phases[0].Of(PlanCategory.Weights).Expected;
        return CaseResult.Compare(measured, "weights", weights, request.Parallel.Tensor == 1 ? ByteRange.Around(predicted, 0.98, 1.03) : ByteRange.Around(predicted, 0.97, 1.1));
    }

    private static CaseResult? Pool(MeasuredCase measured, ModelShape model)
    {
        if (measured.MeasuredMiB("kv_mib") is not { } pool || pool <= 0)
            return null;
        if (measured.NumberSetting("gpu_mib_total") is not { } total || measured.NumberSetting("gpu_memory_utilization") is null)
            return null;
        var request = Request(measured, model) with { DeviceBytes = ByteSize.FromMiB(total).Bytes };
        var plan = InferencePlanner.Plan(request);
        var line = plan.Fullest.PeakPhase.Of(PlanCategory.KvCache);
        var rest = plan.Fullest.PeakPhase.Sum(other => other.Category is PlanCategory.Activations or PlanCategory.Overhead && other.Name != "CUDA graphs");
        // What the other lines may take more or less, the pool gets less or more.
        var bounds = new ByteRange(Math.Max(0, line.Expected - (rest.High - rest.Expected)), line.Expected, line.Expected + (rest.Expected - rest.Low));
        return CaseResult.Compare(measured, "kv_pool", pool, bounds);
    }

    private static InferenceRequest Request(MeasuredCase measured, ModelShape model) => new()
    {
        Model = model,
        Weights = Precision(measured, model),
        // Most sources name no version; exported runs do, as vllm@0.21.
        Engine = EngineCatalog.Default.Find(measured.Version.StartsWith("vllm@", StringComparison.Ordinal) ? measured.Version : "vllm@0.6")!,
        Context = measured.IntegerSetting("max_model_len") ?? model.MaxContext ?? 4096,
        KvFormat = Format(measured),
        Parallel = new(TensorParallel(measured), 1, 1),
        Vllm = new()
        {
            Utilization = measured.NumberSetting("gpu_memory_utilization"),
            MaxBatchedTokens = BatchedTokens(measured),
            MaxSequences = (int?)measured.IntegerSetting("max_num_seqs"),
            EnforceEager = measured.Switch("enforce_eager") ?? false,
        },
    };

    /// <summary>Without chunked prefill a whole sequence is one batch: the profile run uses max(max_model_len, 2048) tokens.</summary>
    private static int? BatchedTokens(MeasuredCase measured) =>
        (int?)(measured.IntegerSetting("max_num_batched_tokens") ?? (measured.IntegerSetting("max_model_len") is { } length ? Math.Clamp(length, 2048, 32768) : null));

    private static int TensorParallel(MeasuredCase measured) => (int)Math.Clamp(measured.IntegerSetting("tp") ?? 1, 1, 1024);

    private static KvFormat Format(MeasuredCase measured)
    {
        var name = measured.Setting("kv") ?? measured.Setting("kv_cache_dtype") ?? "fp16";
        var format = NumberFormats.Find(name) ?? throw new CaseRefusedException($"the cache type '{name}' is not known");
        return new(format, format);
    }

    private static WeightSet Precision(MeasuredCase measured, ModelShape model)
    {
        var name = measured.Model.ToLowerInvariant();
        var precision = measured.Setting("quant")
            ?? (name.Contains("gptq", StringComparison.Ordinal) && name.Contains("4bit", StringComparison.Ordinal) ? "gptq:4bit-g128"
            : name.Contains("nvfp4", StringComparison.Ordinal) ? "nvfp4"
            : name.Contains("w4a16", StringComparison.Ordinal) ? "ct:w4a16-g128"
            : name.Contains("awq", StringComparison.Ordinal) ? "awq:4bit-g128"
            : name.Contains("fp8", StringComparison.Ordinal) ? "fp8:block128"
            : name.Contains("bitsandbytes", StringComparison.Ordinal) || name.Contains("bnb", StringComparison.Ordinal) ? "nf4"
            : measured.Setting("dtype") ?? DefaultPrecision(model));
        return CasePrecision.Weights(precision, model);
    }

    private static string DefaultPrecision(ModelShape model) => model.PublishedType switch
    {
        "bfloat16" or "float16" or null => "bf16",
        var other => throw new CaseRefusedException(string.Create(CultureInfo.InvariantCulture, $"the weights are published as {other} and no precision is stated")),
    };
}
