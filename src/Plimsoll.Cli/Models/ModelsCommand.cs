using System.CommandLine;
using Plimsoll.Cli.Plan;
using Plimsoll.Models.Catalog;

namespace Plimsoll.Cli.Models;

/// <summary><c>plimsoll models</c>: the catalog, or one model in detail.</summary>
internal static class ModelsCommand
{
    private static readonly Argument<string?> Pattern = new("PATTERN") { Description = "part of a name, or a whole one for its details", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<bool> Detail = new("--detail") { Description = "show layers and tensors of the named model" };

    public static Command Create(CliEnvironment environment)
    {
        var command = new Command("models", """
            The known models: parameters, layers, context, cache per token.

            Examples:
              plimsoll models                      all of them
              plimsoll models qwen3                those with qwen3 in their name
              plimsoll models llama-3.1-8b         one model: layers and tensors
              plimsoll models deepseek-r1 --json   the same for a program
            """);
        command.Arguments.Add(Pattern);
        command.Options.Add(Detail);
        command.Options.Add(PlanOptions.Catalog);
        command.SetAction(parsed => Run(parsed, environment));
        return command;
    }

    private static int Run(ParseResult parsed, CliEnvironment environment)
    {
        var catalog = UserCatalogs.Models(parsed.GetValue(PlanOptions.Catalog), environment);
        var terminal = CliApplication.CreateTerminal(parsed, environment);
        var pattern = parsed.GetValue(Pattern) ?? "";
        var named = pattern.Length == 0 ? null : catalog.Find(pattern);
        var entries = pattern.Length == 0 ? [.. catalog.Entries.OrderBy(entry => entry.Id, StringComparer.OrdinalIgnoreCase)] : catalog.Search(pattern).ToList();
        if (named is not null && (entries.Count <= 1 || parsed.GetValue(Detail)))
            entries = [named];
        if (entries.Count == 0)
            return NoMatch(terminal, catalog, pattern);

        var isDetail = entries.Count == 1 && pattern.Length > 0;
        if (parsed.GetValue(GlobalOptions.Json))
            ModelsJson.Write(terminal.Out, entries, isDetail);
        else if (isDetail)
            ModelDetail.Write(terminal, entries[0]);
        else
            ModelsTable.Write(terminal, entries);
        return ExitCode.Yes;
    }

    private static int NoMatch(Terminal terminal, ModelCatalog catalog, string pattern)
    {
        terminal.Error.WriteLine($"plimsoll: no model of the catalog is called '{pattern}'");
        if (catalog.Suggest(pattern) is { Count: > 0 } names)
            terminal.Error.WriteLine($"  Did you mean {string.Join(", ", names)}?");
        return ExitCode.No;
    }
}
