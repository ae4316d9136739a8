using System.Globalization;
using System.Text.Json;

namespace Plimsoll.Cli.Tests.Documentation;

/// <summary>
/// Tables of the documentation whose first column is <c>plimsoll plan</c>: each row holds its arguments, and every column that is named after a
/// quantity and a unit holds what the planner says. <c>UPDATE_GOLDEN=1</c> writes the figures anew.
/// </summary>
[Collection(Shell.Collection)]
public class FigureTableTests
{
    private static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>How far the exact figure may be outside a rule of thumb that still counts as right.</summary>
    private const double RuleTolerance = 0.05;

    public static TheoryData<string> Pages => [.. Repository.Files(".md").Where(path => Repository.Read(path).Contains("\n| plimsoll plan |", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_figure_is_what_the_planner_says(string path)
    {
        var lines = Repository.Read(path).Split('\n');
        var expected = lines.ToArray();
        string[]? header = null;
        var rows = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var cells = Cells(lines[i]);
            if (cells is ["plimsoll plan", ..])
                header = cells;
            else if (cells.Length == 0)
                header = null;
            else if (header is not null && !cells[0].StartsWith("---", StringComparison.Ordinal))
            {
                expected[i] = $"| {string.Join(" | ", Row(header, cells))} |";
                rows++;
            }
        }
        Assert.True(rows > 0, $"{path} has lost its tables");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(Path.Combine(Repository.Root, path), string.Join('\n', expected));
        else
            Assert.Equal(expected, lines);
    }

    private static IEnumerable<string> Row(string[] header, string[] cells)
    {
        Assert.Equal(header.Length, cells.Length);
        var plan = CommandRun.Of(Shell.Arguments($"plimsoll plan {cells[0].Trim('`')} --json")!);
        Assert.True(plan.ExitCode is 0 or 1, $"{cells[0]}: {plan.Error}");
        if (Array.IndexOf(header, "by hand") is >= 0 and var hand)
            Assert.Equal((long)Evaluate(cells[hand]), (long)Figure(plan.Json, header.First(title => title.EndsWith(" bytes", StringComparison.Ordinal)))!.Value);
        var ruled = header.ToList().FindIndex(title => title.StartsWith("rule, ", StringComparison.Ordinal));
        for (var i = 0; i < header.Length; i++)
        {
            yield return header[i] == "rule holds"
                ? Verdict(cells[ruled], Figure(plan.Json, header[ruled]["rule, ".Length..])!.Value)
                : Figure(plan.Json, header[i]) is { } figure ? Text(figure, header[i]) : cells[i];
        }
    }

    /// <summary>The figure that a title such as <c>KV cache GiB</c> asks for; null when the title is none of them.</summary>
    private static double? Figure(JsonElement plan, string title)
    {
        var blank = Math.Max(0, title.LastIndexOf(' '));
        var unit = title[blank..].TrimStart();
        double? size = unit switch { "bytes" => 1, "MB" => 1e6, "GB" => 1e9, "KiB" => 1024, "MiB" => 1024 * 1024, "GiB" => 1024 * 1024 * 1024, _ => null };
        if (size is null)
            return title == "parameters" ? plan.GetProperty("model").GetProperty("parameters").GetInt64() : null;
        var (peak, totals) = (plan.GetProperty("peak"), plan.GetProperty("totals"));
        long? bytes = title[..blank] switch
        {
            "weights" => totals.GetProperty("weights_bytes").GetInt64(),
            "KV cache" => totals.GetProperty("kv_cache_bytes").GetInt64(),
            "activations" => totals.GetProperty("activations_bytes").GetInt64(),
            "overhead" => totals.GetProperty("overhead_bytes").GetInt64(),
            "peak" => peak.GetProperty("total_bytes").GetInt64(),
            "at least" => peak.GetProperty("low_bytes").GetInt64(),
            "at most" => peak.GetProperty("high_bytes").GetInt64(),
            _ => null,
        };
        return bytes / size;
    }

    private static string Text(double figure, string title) => figure.ToString(title.EndsWith(" bytes", StringComparison.Ordinal) || title == "parameters" ? "N0" : "F2", Culture);

    /// <summary>A rule is one figure, or a range such as <c>20–30</c>.</summary>
    private static string Verdict(string rule, double exact)
    {
        var bounds = rule.Split('–').Select(bound => double.Parse(bound, Culture)).ToArray();
        var (low, high) = (bounds[0], bounds[^1]);
        if (exact >= low * (1 - RuleTolerance) && exact <= high * (1 + RuleTolerance))
            return "yes";
        return exact < low ? string.Create(Culture, $"no: {exact / low - 1:P0}") : string.Create(Culture, $"no: +{exact / high - 1:P0}");
    }

    /// <summary>A sum of products, as <c>32 × 8192 × 4096 + 12 × 7</c>.</summary>
    private static double Evaluate(string sum) =>
        sum.Split(" + ").Sum(product => product.Split(" × ").Aggregate(1.0, (value, factor) => value * double.Parse(factor, NumberStyles.Number, Culture)));

    private static string[] Cells(string line) =>
        line.StartsWith('|') ? [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim())] : [];
}
