using System.Globalization;
using Plimsoll.Numerics;
using Spectre.Console;

namespace Plimsoll.Cli.Formats;

/// <summary>The number formats for a person.</summary>
internal static class FormatsTable
{
    public static void WriteAll(Terminal terminal, IReadOnlyList<NumberFormat> formats)
    {
        foreach (var group in formats.GroupBy(format => format.Kind))
        {
            terminal.Rich.WriteLine(Heading(group.Key));
            var table = new Table().Border(TableBorder.Simple);
            table.AddColumn("format").AddColumn(new TableColumn("bits").RightAligned()).AddColumn(new TableColumn("block").RightAligned());
            table.AddColumn("range").AddColumn("KL loss").AddColumn("engines").AddColumn("layout");
            foreach (var column in table.Columns.Take(5))
                column.NoWrap();
            foreach (var format in group)
                table.AddRow(
                    new Text(format.Name), new Text(Bits(format)), new Text(Block(format)), new Text(Range(format)),
                    new Text(Loss(format)), new Text(string.Join(", ", format.Engines)), new Text(format.Summary));
            terminal.Rich.Write(table);
        }
        terminal.Rich.WriteLine("bits: per weight, scales included where the format has them. block: bytes that hold so many elements.");
        terminal.Rich.WriteLine("KL loss: mean KL divergence of Llama-3-8B from FP16 in nats per token, best to worst published file type;");
        terminal.Rich.WriteLine($"  blank where nothing is published. Source: {PublishedQuality.Source}.");
        terminal.Rich.WriteLine("engines: those that compute from this storage. transformers also opens most GGUF types by converting them to FP32 first.");
    }

    public static void WriteOne(Terminal terminal, NumberFormat format, string? mix)
    {
        if (mix is not null)
            terminal.Rich.WriteLine($"{mix} is a GGUF file type: a mix of formats, mostly {format.Name}.");
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (label, text) in Facts(format))
            grid.AddRow(new Text(label), new Text(text));
        terminal.Rich.Write(grid);

        var rows = PublishedQuality.Of(format).ToList();
        if (rows.Count == 0)
            return;
        terminal.Rich.WriteLine();
        terminal.Rich.WriteLine("Published loss of Llama-3-8B in GGUF file types that are mostly this format:");
        var table = new Table().Border(TableBorder.Simple).AddColumn("file type").AddColumn("imatrix");
        foreach (var label in new[] { "GiB", "perplexity", "increase", "KL divergence", "RMS Δp" })
            table.AddColumn(new TableColumn(label).RightAligned());
        foreach (var row in rows)
            table.AddRow(
                row.FileType, row.ImportanceMatrix ? "yes" : "no", Fixed(row.GiB, 2), Fixed(row.Perplexity, 4),
                Fixed(100 * row.PerplexityIncrease, 2) + " %", Fixed(row.KlDivergence, 6), Fixed(row.RmsProbabilityChange, 2) + " %");
        terminal.Rich.Write(table);
        terminal.Rich.WriteLine($"Source: {PublishedQuality.Source}.");
    }

    /// <summary>Bits per weight: whole, or with as many decimals as tell the formats apart.</summary>
    public static string Bits(NumberFormat format) => format.BitsPerWeight.ToString("0.####", CultureInfo.InvariantCulture);

    public static string Block(NumberFormat format) => $"{format.BlockBytes} B / {format.BlockLength}";

    /// <summary>What one element can hold before scales; blank where the scale decides.</summary>
    public static string Range(NumberFormat format) => format switch
    {
        { IntegerBits: { } bits, IsSigned: true } => $"{-(Int128.One << (bits - 1))} … {(Int128.One << (bits - 1)) - 1}",
        { IntegerBits: { } bits } => $"0 … {(Int128.One << bits) - 1}",
        { Layout: { } layout } => $"± {Short(layout.MaxValue)}",
        { MaxValue: { } max, MinNormal: { } min } => $"{Short(min)} … {Short(max)}",
        { MaxValue: { } max } => $"0 … {Short(max)}",
        _ => "",
    };

    /// <summary>The published KL divergences of a format, least to most.</summary>
    public static string Loss(NumberFormat format)
    {
        var published = PublishedQuality.Of(format).Select(row => row.KlDivergence).ToList();
        return published.Count == 0 ? "" : published.Count == 1 || Loss(published.Min()) == Loss(published.Max())
            ? Loss(published.Min())
            : $"{Loss(published.Min())} … {Loss(published.Max())}";
    }

    private static string Loss(double divergence) => divergence < 0.01 ? Fixed(divergence, 4) : Fixed(divergence, 3);

    private static IEnumerable<(string Label, string Text)> Facts(NumberFormat format)
    {
        yield return ("name", format.Name);
        if (format.Aliases.Length > 0)
            yield return ("also", string.Join(", ", format.Aliases));
        yield return ("layout", format.Summary);
        yield return ("bits per weight", Bits(format));
        yield return ("block", $"{format.BlockBytes} bytes hold {format.BlockLength} element{(format.BlockLength == 1 ? "" : "s")}");
        if (format is { ExponentBits: { } exponent, MantissaBits: { } mantissa })
            yield return ("bits of a code", $"{(format.IsSigned ? "1 sign, " : "")}{exponent} exponent, {mantissa} mantissa{(format.Layout is { } layout ? $", bias {layout.Bias}" : "")}");
        if (Range(format) is { Length: > 0 } range)
            yield return ("range", range);
        if (format.MinNormal is { } normal)
            yield return ("smallest normal", NumberText(normal));
        if (format.MinSubnormal is { } subnormal)
            yield return ("smallest subnormal", NumberText(subnormal));
        if (format.GgmlType is { } id)
            yield return ("GGUF type id", id.ToString(CultureInfo.InvariantCulture));
        if (format.SafetensorsType is { } type)
            yield return ("safetensors dtype", type);
        if (format.Engines.Length > 0)
            yield return ("engines", string.Join(", ", format.Engines));
    }

    private static string Heading(NumberFormatKind kind) => kind switch
    {
        NumberFormatKind.Float => "Floating-point elements",
        NumberFormatKind.Integer => "Integer elements",
        _ => "Blocks with scales",
    };

    private static string NumberText(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Short(double value) => value.ToString(Math.Abs(value) is >= 1e6 or < 1e-3 ? "0.####E+0" : "0.####", CultureInfo.InvariantCulture);

    private static string Fixed(double value, int digits) => value.ToString("F" + digits, CultureInfo.InvariantCulture);
}
