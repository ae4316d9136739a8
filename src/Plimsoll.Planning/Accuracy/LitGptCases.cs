using Plimsoll.Models;
using Plimsoll.Planning.Engines;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Runs of LitGPT's generate scripts.</summary>
internal static class LitGptCases
{
    /// <summary>generate.py answers with 50 tokens unless told otherwise; its default prompt has a handful.</summary>
    private const int DefaultNewTokens = 50;
    private const int PromptTokens = 6;

    public static IEnumerable<CaseResult> Evaluate(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var method = measured.Setting("method") ?? "";
        if (!method.StartsWith("generate", StringComparison.Ordinal))
            throw new CaseRefusedException($"the LitGPT script '{method}' is not planned");
        var model = MemoryCases.Model(measured, findModel);
        var gpus = (int)(measured.IntegerSetting("gpus") ?? 1);
        var request = new InferenceRequest
        {
            Model = model,
            Weights = CasePrecision.Weights(Precision(measured), model),
            Engine = EngineCatalog.Default.Find("litgpt")!,
            Context = (measured.IntegerSetting("max_new_tokens") ?? DefaultNewTokens) + PromptTokens,
            Prompt = PromptTokens,
            Parallel = method == "generate_tp" ? new(gpus, 1, 1) : new(1, gpus, 1),
        };
        var plan = InferencePlanner.Plan(request);
        if (measured.MeasuredMiB("total_mib") is { } total)
            yield return CaseResult.Compare(measured, "total", total, TransformersCases.Allocated(plan));
        if (measured.MeasuredMiB("per_gpu_max_mib") is { } perGpu)
            yield return CaseResult.Compare(measured, "total", perGpu, TransformersCases.Allocated(plan with { Devices = [plan.Fullest] }));
    }

    internal static string Precision(MeasuredCase measured)
    {
        var precision = measured.Setting("precision") ?? "";
        if (precision.Contains("mixed", StringComparison.Ordinal))
            throw new CaseRefusedException("mixed precision keeps FP32 weights and a cache of cast copies; only true precisions are planned");
        return measured.Setting("quant") switch
        {
            null when precision.StartsWith("bf16", StringComparison.Ordinal) || precision.Length == 0 => "bf16",
            null when precision.StartsWith("16", StringComparison.Ordinal) => "fp16",
            null when precision.StartsWith("32", StringComparison.Ordinal) => "fp32",
            null => throw new CaseRefusedException($"the precision '{precision}' is not known"),
            // LitGPT quantizes every linear layer, the output head included.
            "bnb.nf4" => "nf4+head",
            "bnb.nf4-dq" => "nf4-dq+head",
            "bnb.fp4" => "fp4+head",
            "bnb.int8" or "bnb.int8-training" => "bnb-int8+head",
            var other => throw new CaseRefusedException($"the quantization '{other}' is not known"),
        };
    }
}
