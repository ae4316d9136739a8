using System.Collections.Immutable;
using Plimsoll.Models;

namespace Plimsoll.Planning.Accuracy;

/// <summary>Maps measured memory cases to plans. A setting that is unknown or unstated, and matters, is refused with the reason.</summary>
public static class MemoryCases
{
    /// <param name="findModel">The shape of a model by the name that a source gives it; null when unknown.</param>
    public static ImmutableArray<CaseResult> Evaluate(MeasuredCase measured, Func<string, ModelShape?> findModel)
    {
        var results = ImmutableArray.CreateBuilder<CaseResult>();
        try
        {
            foreach (var result in Mapper(measured)(measured, findModel))
                results.Add(result);
        }
        catch (CaseRefusedException refusal)
        {
            results.Add(CaseResult.Refuse(measured, "all", refusal.Message));
        }
        if (results.Count == 0)
            results.Add(CaseResult.Refuse(measured, "all", "no measured quantity of this case is one that the planner predicts"));
        return results.ToImmutable();
    }

    private static Func<MeasuredCase, Func<string, ModelShape?>, IEnumerable<CaseResult>> Mapper(MeasuredCase measured)
    {
        var framework = measured.Framework.ToLowerInvariant();
        return (measured.Kind, framework) switch
        {
            ("training", _) => TrainingCases.Evaluate,
            ("overhead", _) => (_, _) => throw new CaseRefusedException("driver and library overhead is an input of the planner, not a prediction"),
            (_, "transformers") => TransformersCases.Evaluate,
            (_, var name) when name.Contains("accelerate", StringComparison.Ordinal) => AccelerateCases.Evaluate,
            (_, var name) when name.StartsWith("llama.cpp", StringComparison.Ordinal) || name.StartsWith("ik_llama.cpp", StringComparison.Ordinal) || name.StartsWith("ollama", StringComparison.Ordinal) => LlamaCppCases.Evaluate,
            (_, "vllm" or "sglang") => VllmCases.Evaluate,
            (_, "litgpt") => LitGptCases.Evaluate,
            _ => (_, _) => throw new CaseRefusedException($"no engine profile for '{measured.Framework}'"),
        };
    }

    internal static ModelShape Model(MeasuredCase measured, Func<string, ModelShape?> findModel) =>
        findModel(measured.Model) ?? throw new CaseRefusedException($"the model '{measured.Model}' is not in the catalog");
}
