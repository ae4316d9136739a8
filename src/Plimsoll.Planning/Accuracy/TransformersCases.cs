using System.Text.RegularExpressions;
using Plimsoll.Models;
using Plimsoll.Planning.Engines;
using Plimsoll.Planning.Plans;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Measured runs of Hugging Face transformers: torch's peak of allocated memory, summed over GPUs.</summary>
internal static partial class TransformersCases
{
    [GeneratedRegex(@"transformers\s+v?(\d+(\.\d+)+)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Version { get; }

    public static IEnumerable<CaseResult> Evaluate(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        if (measured.MeasuredMiB("total_mib") is not { } total)
            throw new CaseRefusedException("no total was measured");
        var model = MemoryCases.Model(measured, findModel);
        var quantization = measured.Setting("quant") ?? throw new CaseRefusedException("the precision is not stated");
        var input = measured.IntegerSetting("input_tokens") ?? throw new CaseRefusedException("the prompt length is not stated");
        var generated = measured.IntegerSetting("generated_tokens") ?? throw new CaseRefusedException("the number of generated tokens is not stated");
        var engine = EngineCatalog.Default.Find(Version.Match(measured.Version) is { Success: true } match ? $"transformers@{match.Groups[1].Value}" : "transformers")!;
        var request = new InferenceRequest
        {
            Model = model,
            Weights = CasePrecision.Weights(Precision(quantization), model),
            Engine = engine,
            Context = input + generated,
            Prompt = input,
            Batch = (int)(measured.IntegerSetting("batch") ?? 1),
            Parallel = new(1, (int)(measured.IntegerSetting("gpus") ?? 1), 1),
        };
        var withPrefill = !ExcludesPrefill(measured);
        var expected = Allocated(InferencePlanner.Plan(request), withPrefill);
        // The stated number of tokens is a maximum: a model that ends its answer early leaves the rest of the cache empty.
        var early = Allocated(InferencePlanner.Plan(request with { Context = input + 1 }), withPrefill);
        yield return CaseResult.Compare(measured, "total", total, new(Math.Min(early.Low, expected.Low), expected.Expected, expected.High));
    }

    /// <summary>Peak of what the engine's allocator holds, summed over devices.</summary>
    public static ByteRange Allocated(MemoryPlan plan, bool withPrefill = true) => plan.Devices
        .Select(device => device.Phases
            .Where(phase => withPrefill || phase.Name != "prefill")
            .Select(phase => phase.Sum(line => line.Place == MemoryPlace.Device))
            .Aggregate(ByteRange.Max))
        .Aggregate((sum, peak) => sum + peak);

    /// <summary>
    /// The Qwen3 benchmark page reports the decode phase: at 30,720 prompt tokens its BF16 figures equal weights + KV cache + 36 MiB,
    /// which leaves no room for any activation of the prompt. The Qwen2 and Qwen2.5 pages report the peak of the whole run.
    /// </summary>
    private static bool ExcludesPrefill(MeasuredCase measured) =>
        measured.Model.StartsWith("Qwen3", StringComparison.OrdinalIgnoreCase) && measured.Source.Contains("speed_benchmark", StringComparison.Ordinal);

    private static string Precision(string quantization) => quantization.ToUpperInvariant() switch
    {
        "GPTQ-INT8" => "gptq:8bit-g128",
        "GPTQ-INT4" => "gptq:4bit-g128",
        "AWQ" or "AWQ-INT4" => "awq:4bit-g128",
        "FP8" => "fp8:block128",
        _ => quantization,
    };
}
