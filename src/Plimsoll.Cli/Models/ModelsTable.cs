using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Models.Catalog;
using Spectre.Console;

namespace Plimsoll.Cli.Models;

/// <summary>The catalog as a table, one model a line.</summary>
internal static class ModelsTable
{
    public static void Write(Terminal terminal, IReadOnlyList<ModelCatalogEntry> entries)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("model");
        table.AddColumn("architecture");
        foreach (var header in (ReadOnlySpan<string>)["parameters", "active", "layers", "context", "KV/token (f16)"])
            table.AddColumn(new TableColumn(header).RightAligned());
        foreach (var entry in entries)
        {
            var shape = entry.Shape;
            table.AddRow(
                new Text(entry.Id),
                new Text(shape.Architecture),
                new Text(Billions(shape.Parameters)),
                new Text(shape.ActiveParameters == shape.Parameters ? "" : Billions(shape.ActiveParameters)),
                new Text(shape.Layers.Length.ToString(CultureInfo.InvariantCulture)),
                new Text(shape.MaxContext is { } context ? Tokens(context) : "–"),
                new Text(CacheText(shape)));
        }
        terminal.Rich.Write(table);
        terminal.Rich.WriteLine($"{entries.Count} models. 'plimsoll models NAME' shows one of them in detail.");
    }

    /// <summary>Bytes of keys and values per token at 16 bits.</summary>
    public static long CacheBytes(ModelShape shape) => 2 * shape.KeyValueElementsPerToken;

    public static string CacheText(ModelShape shape) => CacheBytes(shape) is > 0 and var bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB") : "none";

    public static string Billions(long parameters) => parameters >= 1_000_000_000
        ? string.Create(CultureInfo.InvariantCulture, $"{parameters / 1e9:0.00} B")
        : string.Create(CultureInfo.InvariantCulture, $"{parameters / 1e6:0.0} M");

    private static string Tokens(int tokens) => tokens % 1024 == 0 ? $"{tokens / 1024}K" : tokens.ToString(CultureInfo.InvariantCulture);
}
