using System.Globalization;
using System.Runtime.CompilerServices;
using Plimsoll.Cli.Formats;
using Plimsoll.Numerics;

namespace Plimsoll.Cli.Tests.Formats;

/// <summary>The tables of <c>docs/formats.md</c> are written by this test (<c>UPDATE_GOLDEN=1</c>) and must equal the tables in code.</summary>
public class FormatsDocumentTests
{
    [Fact]
    public void The_page_lists_the_formats_of_the_code()
    {
        var path = DocumentPath();
        var page = File.ReadAllText(path).ReplaceLineEndings("\n");
        foreach (var (section, table) in Tables())
        {
            var (start, end) = ($"<!-- {section} -->\n", $"<!-- /{section} -->\n");
            var from = page.IndexOf(start, StringComparison.Ordinal);
            var to = page.IndexOf(end, StringComparison.Ordinal);
            Assert.True(from >= 0 && to > from, $"docs/formats.md has no section '{section}'");
            page = page[..(from + start.Length)] + table + page[to..];
        }
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, page);
        Assert.Equal(page, File.ReadAllText(path).ReplaceLineEndings("\n"));
    }

    private static IEnumerable<(string Section, string Table)> Tables()
    {
        yield return ("floats", Table(
            ["format", "also typed as", "bits", "sign/exponent/mantissa", "bias", "largest", "smallest normal", "smallest subnormal", "safetensors", "GGUF id", "engines", "notes"],
            Of(NumberFormatKind.Float).Select(format => new[]
            {
                format.Name, Aliases(format), FormatsTable.Bits(format), Fields(format), format.Layout?.Bias.ToString(CultureInfo.InvariantCulture) ?? "",
                Number(format.MaxValue), Number(format.MinNormal), Number(format.MinSubnormal), format.SafetensorsType ?? "", Id(format), Engines(format), format.Summary,
            })));
        yield return ("integers", Table(
            ["format", "also typed as", "bits", "block", "range", "safetensors", "GGUF id", "engines", "notes"],
            Of(NumberFormatKind.Integer).Select(format => new[]
            {
                format.Name, Aliases(format), FormatsTable.Bits(format), FormatsTable.Block(format), FormatsTable.Range(format), format.SafetensorsType ?? "", Id(format), Engines(format), format.Summary,
            })));
        yield return ("blocks", Table(
            ["format", "also typed as", "bits per weight", "block", "KL loss", "GGUF id", "engines", "layout"],
            Of(NumberFormatKind.Block).Select(format => new[]
            {
                format.Name, Aliases(format), FormatsTable.Bits(format), FormatsTable.Block(format), FormatsTable.Loss(format), Id(format), Engines(format), format.Summary,
            })));
        yield return ("quality", Table(
            ["file type", "mostly", "importance matrix", "GiB", "perplexity", "increase", "KL divergence", "RMS Δp"],
            PublishedQuality.Llama3.Select(row => new[]
            {
                row.FileType, row.MainFormat, row.ImportanceMatrix ? "yes" : "", Fixed(row.GiB, 2), Fixed(row.Perplexity, 4), Fixed(100 * row.PerplexityIncrease, 2) + " %",
                Fixed(row.KlDivergence, 6), Fixed(row.RmsProbabilityChange, 3) + " %",
            })));
    }

    private static IEnumerable<NumberFormat> Of(NumberFormatKind kind) => NumberFormats.All.Where(format => format.Kind == kind);

    private static string Table(string[] header, IEnumerable<string[]> rows)
    {
        IEnumerable<string[]> lines = [header, .. Enumerable.Repeat(Enumerable.Repeat("---", header.Length).ToArray(), 1), .. rows];
        return string.Concat(lines.Select(cells => $"| {string.Join(" | ", cells)} |\n"));
    }

    private static string Aliases(NumberFormat format) => string.Join(", ", format.Aliases);

    private static string Engines(NumberFormat format) => string.Join(", ", format.Engines);

    private static string Id(NumberFormat format) => format.GgmlType?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Fields(NumberFormat format) =>
        format is { ExponentBits: { } exponent, MantissaBits: { } mantissa } ? $"{(format.IsSigned ? 1 : 0)}/{exponent}/{mantissa}" : "";

    private static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static string Fixed(double value, int digits) => value.ToString("F" + digits, CultureInfo.InvariantCulture);

    private static string DocumentPath([CallerFilePath] string here = "")
    {
        for (var folder = Path.GetDirectoryName(here); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "docs", "formats.md")))
                return Path.Combine(folder, "docs", "formats.md");
        }
        throw new FileNotFoundException("docs/formats.md is not above the test");
    }
}
