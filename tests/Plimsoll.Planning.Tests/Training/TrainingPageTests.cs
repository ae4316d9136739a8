using System.Globalization;
using System.Runtime.CompilerServices;
using Plimsoll.Planning.Gpus;
using Plimsoll.Planning.Plans;
using Plimsoll.Planning.Training;

namespace Plimsoll.Planning.Tests.Training;

/// <summary>The tables of docs/formulas/training-memory.md are what the code computes. <c>UPDATE_GOLDEN=1</c> writes them anew.</summary>
public class TrainingPageTests
{
    private static readonly string[] Cards = ["rtx-4090", "a100-40gb", "a100-80gb"];

    [Fact]
    public void The_tables_of_the_page_are_what_the_code_computes()
    {
        var path = Page();
        var lines = File.ReadAllLines(path);
        var computed = lines.Select(Compute).ToArray();
        Assert.Equal(13, lines.Count(line => Cells(line) is ["7b" or "13b" or "bf16" or "fp32", ..]));
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, string.Join('\n', computed) + "\n");
        else
            Assert.Equal(computed, lines);
    }

    private static string Compute(string line) => Cells(line) switch
    {
        [var precision and ("bf16" or "fp32"), var optimizer, var master, _, _] => StateRow(precision, optimizer, master),
        [var model and ("7b" or "13b"), var method, ..] => VerdictRow(model, method),
        _ => line,
    };

    private static string StateRow(string precision, string optimizer, string master)
    {
        var states = TrainingPlanner.Plan(TrainingRuns.Full("7b", precision, optimizer) with { MasterWeights = master == "fp32" }).Devices[0].States();
        return string.Create(CultureInfo.InvariantCulture, $"| {precision} | {optimizer} | {master} | {states / 7e9:F2} | {states / 1e9:F2} |");
    }

    private static string VerdictRow(string model, string method)
    {
        var request = method switch
        {
            "training" => TrainingRuns.Full(model),
            "lora" => TrainingRuns.Lora(model),
            _ => TrainingRuns.Lora(model, quantized: "nf4"),
        };
        request = request with { SequenceLength = 2048, Checkpointing = Checkpointing.Full };
        var billions = request.Model.Parameters / 1e9;
        var rule = billions * (method switch { "training" => 16, "lora" => 2, _ => 0.5 });
        var phase = TrainingPlanner.Plan(request).Fullest.PeakPhase;
        string Size(PlanCategory category) => (phase.Of(category).Expected / Math.Pow(1024, 3)).ToString("F2", CultureInfo.InvariantCulture);
        var verdicts = Cards.Select(card => phase.Total.Expected <= GpuCatalog.Default.Find(card)!.UsableMemory.Bytes ? "fits" : "no");
        return string.Create(CultureInfo.InvariantCulture,
            $"| {model} | {method} | {rule:0.#} GB | {Size(PlanCategory.Weights)} | {Size(PlanCategory.Gradients)} | {Size(PlanCategory.Optimizer)} | {Size(PlanCategory.Activations)} | {Size(PlanCategory.Overhead)} | {phase.Total.Expected / Math.Pow(1024, 3):F2} | {string.Join(" | ", verdicts)} |");
    }

    private static string[] Cells(string line) => line.StartsWith('|') ? [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim())] : [];

    private static string Page([CallerFilePath] string here = "")
    {
        for (var folder = Path.GetDirectoryName(here); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var page = Path.Combine(folder, "docs", "formulas", "training-memory.md");
            if (File.Exists(page))
                return page;
        }
        throw new FileNotFoundException("docs/formulas/training-memory.md is not above this test file");
    }
}
