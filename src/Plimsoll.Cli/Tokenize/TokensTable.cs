using System.Globalization;
using Plimsoll.Checkpoints.Tokenizers;
using Spectre.Console;

namespace Plimsoll.Cli.Tokenize;

/// <summary>Tokens for a person: id and piece, then how many.</summary>
internal static class TokensTable
{
    private const int Shown = 1000;

    public static void Write(Terminal terminal, Tokenizer tokenizer, int[] ids)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("id").RightAligned().NoWrap()).AddColumn(new TableColumn("piece"));
        foreach (var id in ids.Take(Shown))
            table.AddRow(new Text(id.ToString(CultureInfo.InvariantCulture)), new Text($"'{PieceText.Of(tokenizer.PieceBytes(id))}'"));
        terminal.Rich.Write(table);
        if (ids.Length > Shown)
            terminal.Rich.WriteLine(string.Create(CultureInfo.InvariantCulture, $"… and {ids.Length - Shown:N0} more; --json lists them all"));
        var bytes = ids.Where(id => !tokenizer.IsControl(id)).Sum(id => (long)tokenizer.PieceBytes(id).Length);
        terminal.Rich.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ids.Length:N0} tokens, {bytes:N0} bytes of text, {(ids.Length == 0 ? 0 : (double)bytes / ids.Length):0.00} bytes per token"));
    }
}
