using System.Globalization;
using Plimsoll.Models;
using Plimsoll.Models.Catalog;
using Spectre.Console;

namespace Plimsoll.Cli.Models;

/// <summary>One model: its facts, its kinds of layers, its tensors.</summary>
internal static class ModelDetail
{
    public static void Write(Terminal terminal, ModelCatalogEntry entry)
    {
        var shape = entry.Shape;
        terminal.Rich.WriteLine(entry.Id);
        terminal.Rich.Write(Facts(entry, shape));
        terminal.Rich.Write(Layers(shape));
        terminal.Rich.Write(Tensors(shape));
        foreach (var note in shape.Notes)
            terminal.Rich.WriteLine($"Note: {note}");
    }

    private static Grid Facts(ModelCatalogEntry entry, ModelShape shape)
    {
        var grid = new Grid().AddColumns(2);
        void Row(string name, string value) => grid.AddRow(new Text("  " + name), new Text(value));

        Row("architecture", shape.Architecture);
        Row("parameters", Number(shape.Parameters) + (shape.ActiveParameters == shape.Parameters ? "" : $", {Number(shape.ActiveParameters)} of them active per token"));
        Row("layers", $"{Number(shape.Layers.Length)} of width {Number(shape.HiddenSize)}");
        Row("vocabulary", $"{Number(shape.VocabularySize)}, output head {(shape.TiedEmbeddings ? "is the embedding" : "of its own")}");
        Row("context", shape.MaxContext is { } context ? $"{Number(context)} tokens" : "not stated");
        Row("cache", $"{ModelsTable.CacheText(shape)} per token at 16 bits");
        if (shape.Confidence != Confidence.High)
            Row("confidence", shape.Confidence == Confidence.Low ? "low" : "medium");
        if (entry.Aliases.Count > 0)
            Row("also", string.Join(", ", entry.Aliases));
        Row("source", entry.FactSource);
        return grid;
    }

    private static Table Layers(ModelShape shape)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("layers");
        table.AddColumn("mixes tokens by");
        table.AddColumn("feed-forward");
        foreach (var group in LayerGroups.Of(shape))
            table.AddRow(new Text(group.Range), new Text(LayerGroups.Mixer(group.Layer)), new Text(LayerGroups.FeedForward(group.Layer.FeedForward)));
        return table;
    }

    private static Table Tensors(ModelShape shape)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("tensor");
        table.AddColumn("shape");
        table.AddColumn(new TableColumn("count").RightAligned());
        table.AddColumn(new TableColumn("parameters").RightAligned());
        foreach (var group in TensorGroups.Of(shape))
            table.AddRow(new Text(group.Name), new Text(group.Shape), new Text(Number(group.Count)), new Text(Number(group.Parameters)));
        return table;
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
