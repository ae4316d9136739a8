using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Accuracy;

namespace Plimsoll.Planning.Tests.Accuracy;

/// <summary>The bars that the planner promises over published measurements.</summary>
public class AccuracyBarTests
{
    private static readonly Lazy<AccuracyReport> Report = new(() =>
        new([.. MeasuredCase.ReadFile(SharedData.Require("validation/memory_cases.jsonl")).SelectMany(measured => CaseEvaluation.Evaluate(measured, ModelCatalog.Default))]));

    [Fact]
    public void Transformers_totals_in_bf16_have_a_median_error_of_at_most_one_percent() =>
        Assert.InRange(MedianError(result => Precision(result) == "BF16" && result.Group is "qwen2.5-tf" or "qwen3-tf"), 0, 0.01);

    [Fact]
    public void Transformers_totals_of_quantized_models_have_a_median_error_of_at_most_two_and_a_half_percent() =>
        Assert.InRange(MedianError(result => Precision(result) != "BF16" && result.Group is "qwen2.5-tf" or "qwen3-tf"), 0, 0.025);

    [Fact]
    public void The_whole_inference_set_has_a_median_error_of_at_most_three_percent_and_four_in_five_predicted()
    {
        var inference = Report.Value.Kinds.Single(kind => kind.Group == "all inference");
        Assert.InRange(inference.MedianAbsoluteError!.Value, 0, 0.03);
        Assert.InRange((double)inference.Predicted / inference.Cases, 0.8, 1);
        Assert.InRange(inference.WithinBounds!.Value, 0.9, 1);
    }

    [Fact]
    public void Training_has_a_median_error_of_at_most_twelve_percent_and_most_cases_predicted_within_bounds()
    {
        var training = Report.Value.Kinds.Single(kind => kind.Group == "all training");
        Assert.InRange(training.MedianAbsoluteError!.Value, 0, 0.12);
        Assert.InRange(training.P90AbsoluteError!.Value, 0, 0.30);
        Assert.InRange((double)training.Predicted / training.Cases, 0.7, 1);
        Assert.InRange(training.WithinBounds!.Value, 0.85, 1);
    }

    [Fact]
    public void Llama_cpp_caches_are_exact_to_the_printed_hundredth_of_a_mebibyte()
    {
        var caches = Report.Value.Results.Where(result => result is { Group: "llamacpp-ik", Quantity: "kv_cache", RefusedBecause: null }).ToList();
        Assert.NotEmpty(caches);
        var exact = caches.Count(result => Math.Abs(result.Predicted!.Value - result.Measured!.Value) <= 0.0051 * 1024 * 1024);
        Assert.InRange((double)exact / caches.Count, 0.97, 1);
    }

    private static string? Precision(CaseResult result) => Cases.Value.GetValueOrDefault(result.Id);

    private static readonly Lazy<Dictionary<string, string?>> Cases = new(() =>
        MeasuredCase.ReadFile(SharedData.Require("validation/memory_cases.jsonl")).ToDictionary(measured => measured.Id, measured => measured.Setting("quant")));

    private static double MedianError(Func<CaseResult, bool> chosen)
    {
        var errors = Report.Value.Results.Where(chosen).Select(result => Math.Abs(result.Error!.Value)).Order().ToList();
        Assert.NotEmpty(errors);
        return errors[errors.Count / 2];
    }
}
