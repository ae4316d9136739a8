using System.Globalization;
using Plimsoll.Planning.Gpus;
using Spectre.Console;

namespace Plimsoll.Cli.Gpus;

/// <summary>The GPU catalog for a person.</summary>
internal static class GpusTable
{
    public static void WriteAll(Terminal terminal, IReadOnlyList<GpuSpec> gpus)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("gpu").AddColumn("name");
        foreach (var label in new[] { "GiB", "usable", "GB/s", "FP16 TFLOPS", "year", "launch USD", "USD/h" })
            table.AddColumn(new TableColumn(label).RightAligned());
        foreach (var column in table.Columns)
            column.NoWrap();
        foreach (var gpu in gpus)
            table.AddRow(
                new Text(gpu.Id), new Text(gpu.Name), new Text(Figure(gpu.LabelledGiB)), new Text(Fixed(gpu.UsableMemory.InGiB, 2)), new Text(Figure(gpu.Bandwidth)),
                new Text(Figure(gpu.Rates.GetValueOrDefault(RateKind.Fp16))), new Text(Figure(gpu.LaunchYear)), new Text(Figure(gpu.LaunchPriceUsd)),
                new Text(gpu.CheapestRental is { } price ? Fixed(price.UsdPerHour, 2) : ""));
        terminal.Rich.Write(table);
        terminal.Rich.WriteLine("GiB: as sold. usable: what one process can get. FP16 TFLOPS: dense, accumulated in FP32. USD/h: the cheapest listed rental.");
        terminal.Rich.WriteLine("~ a rule made the value. ! sources disagree. Blank: not known. 'plimsoll gpus --show GPU' names the sources.");
    }

    public static void WriteOne(Terminal terminal, GpuSpec gpu)
    {
        terminal.Rich.WriteLine($"{gpu.Name} ({gpu.Id}): {string.Join(", ", Words(gpu))}");
        var table = new Table().Border(TableBorder.Simple).AddColumn("value").AddColumn(new TableColumn("figure").RightAligned()).AddColumn("source");
        table.Columns[0].NoWrap();
        table.Columns[1].NoWrap();
        foreach (var (label, figure, unit) in Figures(gpu))
            table.AddRow(new Text(label), new Text($"{Number(figure.Value)} {unit}".TrimEnd()), new Text(Source(figure)));
        foreach (var price in gpu.RentalPrices)
            table.AddRow(new Text($"rental, {$"{price.Provider} {price.Kind}".Trim()}"), new Text($"{Number(price.UsdPerHour)} USD/h"), new Text($"{price.Source}, {(price.AsOf is { } day ? $"as of {day}" : "date not stored")}"));
        terminal.Rich.Write(table);
    }

    private static IEnumerable<string> Words(GpuSpec gpu)
    {
        if (gpu.Vendor.Length > 0)
            yield return gpu.Vendor;
        if (gpu.Architecture is { } architecture && !gpu.Vendor.Equals(architecture.Split(' ')[0], StringComparison.Ordinal))
            yield return architecture;
        if (gpu.ComputeCapability is { } capability)
            yield return $"compute capability {capability}";
        if (gpu.UnifiedMemory)
            yield return "memory shared with the CPU";
        if (gpu.Aliases.Length > 0)
            yield return $"also called {string.Join(" or ", gpu.Aliases)}";
    }

    /// <summary>Every figure that the catalog has, in the order of the JSON answer.</summary>
    public static IEnumerable<(string Label, Sourced Figure, string Unit)> Figures(GpuSpec gpu)
    {
        (string Label, Sourced? Figure, string Unit)[] all =
        [
            ("memory as sold", gpu.LabelledGiB, "GiB"), ("reported by the driver", gpu.ReportedMiB, "MiB"), ("usable by one process", gpu.UsableMiB, "MiB"),
            ("bandwidth", gpu.Bandwidth, "GB/s"),
            .. Enum.GetValues<RateKind>().Select(kind => ($"dense {Label(kind)}", gpu.Rates.GetValueOrDefault(kind), kind is RateKind.Int8 or RateKind.Int4 ? "TOPS" : "TFLOPS")),
            (gpu.Vendor == "NVIDIA" ? "CUDA cores" : "cores", gpu.Cores, ""), ("tensor cores", gpu.TensorCores, ""),
            ("PCIe, one direction", gpu.PcieBandwidth, "GB/s"), ("NVLink, one direction", gpu.NvlinkBandwidth, "GB/s"),
            ("power", gpu.PowerWatts, "W"), ("launched", gpu.LaunchYear, ""), ("launch price", gpu.LaunchPriceUsd, "USD"),
        ];
        return all.Where(row => row.Figure is not null).Select(row => (row.Label, row.Figure!, row.Unit));
    }

    private static string Label(RateKind kind) => kind switch
    {
        RateKind.Fp32 => "FP32 (shader cores)",
        RateKind.Fp16 => "FP16 (FP32 sums)",
        RateKind.Fp16Accumulate16 => "FP16 (FP16 sums)",
        _ => kind.ToString().ToUpperInvariant(),
    };

    private static string Source(Sourced figure) => figure.Mark switch
    {
        SourceMark.Conflict => $"{figure.Source}; sources disagree: {figure.Note}",
        SourceMark.Derived => $"derived, {figure.Source}",
        _ => figure.Source,
    };

    private static string Figure(Sourced? figure) => figure is null ? "" : Number(figure.Value) + figure.Mark switch
    {
        SourceMark.Derived => "~",
        SourceMark.Conflict => "!",
        _ => "",
    };

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    private static string Fixed(double value, int digits) => value.ToString("F" + digits, CultureInfo.InvariantCulture);
}
