using System.Globalization;
using System.Runtime.CompilerServices;
using Plimsoll.Models;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Weights;

namespace Plimsoll.Planning.Tests.Weights;

/// <summary>The worked examples of docs/formulas/weights.md are what the code computes. <c>UPDATE_GOLDEN=1</c> writes them anew.</summary>
public class WeightsPageTests
{
    [Fact]
    public void The_worked_examples_of_the_page_are_what_the_code_computes()
    {
        var path = Page();
        var lines = File.ReadAllLines(path);
        var computed = lines.Select(Compute).ToArray();
        Assert.True(lines.Count(line => ModelRow(line) is not null) >= 30, "the page has lost its tables");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, string.Join('\n', computed) + "\n");
        else
            Assert.Equal(computed, lines);
    }

    private static string Compute(string line)
    {
        if (ModelRow(line) is { } row)
        {
            var weights = PrecisionScheme.Find(row.Precision)!.Apply(row.Shape);
            return string.Create(CultureInfo.InvariantCulture,
                $"| {row.Model} | {row.Precision} | {weights.Total.Bytes:N0} | {weights.Total.Bytes / 1e9:F2} | {weights.Total.Bytes / Math.Pow(1024, 3):F2} | {weights.BitsPerWeight:F4} |");
        }
        if (LayerRow(line) is { } precision)
        {
            var layer = PrecisionScheme.Find(precision)!.Apply(TestShapes.Llama2_7B).Tensors.Single(tensor => tensor.Shape.Name == "model.layers.0.self_attn.o_proj.weight");
            return string.Create(CultureInfo.InvariantCulture, $"| {precision} | {layer.Bytes:N0} | {8.0 * layer.Bytes / layer.Shape.Elements:F4} |");
        }
        return line;
    }

    private static (string Model, string Precision, ModelShape Shape)? ModelRow(string line)
    {
        var cells = Cells(line);
        if (cells.Length != 6 || PrecisionScheme.Find(cells[1]) is null)
            return null;
        var shape = BareSize.Create(cells[0]) ?? ModelCatalog.Default.Find(cells[0])?.Shape;
        Assert.True(shape is not null, $"the page names a model that is not in the catalog: {cells[0]}");
        return (cells[0], cells[1], shape);
    }

    private static string? LayerRow(string line) =>
        Cells(line) is [var precision, _, _] && PrecisionScheme.Find(precision) is not null ? precision : null;

    private static string[] Cells(string line) =>
        line.StartsWith('|') ? [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Trim())] : [];

    private static string Page([CallerFilePath] string here = "")
    {
        for (var folder = Path.GetDirectoryName(here); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var candidate = Path.Combine(folder, "docs", "formulas", "weights.md");
            if (File.Exists(candidate))
                return candidate;
        }
        throw new FileNotFoundException("docs/formulas/weights.md is not above the tests");
    }
}
