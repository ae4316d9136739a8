using System.CommandLine;
using Plimsoll.Diagnostics.Growth;
using Plimsoll.Diagnostics.OutOfMemory;
using Plimsoll.Diagnostics.Snapshots;
using Spectre.Console;
using Rule = Plimsoll.Diagnostics.Rule;

namespace Plimsoll.Cli.Diagnose;

/// <summary><c>plimsoll diagnose --rules</c>: everything that is looked for.</summary>
internal static class DiagnoseRules
{
    private static IEnumerable<(string Input, Rule Rule)> All =>
    [
        .. OutOfMemoryDiagnosis.Rules.Select(rule => ("log", rule)),
        .. SnapshotDiagnosis.Rules.Select(rule => ("snapshot", rule)),
        .. GrowthDiagnosis.Rules.Select(rule => ("series", rule)),
    ];

    public static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        if (parsed.GetValue(GlobalOptions.Json))
            WriteJson(terminal.Out);
        else
            WriteTable(terminal);
        return ExitCode.Yes;
    }

    private static void WriteTable(Terminal terminal)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("in", "rule", "found when", "rests on", "source");
        foreach (var (input, rule) in All)
            table.AddRow(input, Markup.Escape(rule.Name), Markup.Escape(rule.Symptom), Markup.Escape(rule.Evidence), Markup.Escape(rule.Source));
        terminal.Rich.Write(table);
    }

    private static void WriteJson(TextWriter output) => JsonOutput.Write(output, DiagnoseJson.Schema, json =>
    {
        json.WriteString("kind", "rules");
        json.WriteArray("rules", All, each =>
        {
            json.WriteStartObject();
            json.WriteString("input", each.Input);
            json.WriteString("check", each.Rule.Name);
            json.WriteString("symptom", each.Rule.Symptom);
            json.WriteString("evidence", each.Rule.Evidence);
            json.WriteString("source", each.Rule.Source);
            json.WriteEndObject();
        });
    });
}
