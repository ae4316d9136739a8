using System.Collections.Immutable;
using System.CommandLine;
using Plimsoll.Models.Catalog;
using Plimsoll.Planning.Accuracy;

namespace Plimsoll.Cli.Accuracy;

/// <summary><c>plimsoll accuracy CASES.jsonl</c>: the planner against measured figures.</summary>
internal static class AccuracyCommand
{
    private static readonly Argument<string[]> Files = new("CASES.jsonl") { Description = "files of measured cases, one JSON object a line", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<bool> Markdown = new("--markdown") { Description = "a page for the documentation" };
    private static readonly Option<bool> Cases = new("--cases") { Description = "every figure, not only the groups" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command(
            "accuracy",
            """
            Runs the planner over measured cases and prints the error per group. A case whose settings are unknown is refused with the reason.

            Examples:
              plimsoll accuracy memory_cases.jsonl
              plimsoll accuracy memory_cases.jsonl throughput_cases.jsonl --cases
              plimsoll accuracy memory_cases.jsonl --json
            """)
        {
            Files, Markdown, Cases,
        };
        command.SetAction(parsed =>
        {
            var terminal = CliApplication.CreateTerminal(parsed, environment);
            var report = Evaluate(parsed.GetValue(Files)!);
            if (parsed.GetValue(GlobalOptions.Json))
                AccuracyJson.Write(terminal.Out, report);
            else if (parsed.GetValue(Markdown))
                AccuracyMarkdown.Write(terminal.Out, report);
            else
                AccuracyTable.Write(terminal, report, parsed.GetValue(Cases));
            return ExitCode.Yes;
        });
        return command;
    }

    private static AccuracyReport Evaluate(IEnumerable<string> files)
    {
        var results = ImmutableArray.CreateBuilder<CaseResult>();
        foreach (var measured in files.SelectMany(file => MeasuredCase.ReadFile(file)))
            results.AddRange(CaseEvaluation.Evaluate(measured, ModelCatalog.Default));
        return new(results.ToImmutable());
    }
}
