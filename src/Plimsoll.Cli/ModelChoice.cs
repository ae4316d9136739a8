using System.CommandLine;
using Plimsoll.Cli.Plan;
using Plimsoll.Models;
using Plimsoll.Models.Catalog;
using Plimsoll.Models.Demo;

namespace Plimsoll.Cli;

/// <summary>From what the user typed as MODEL to a model: a path, <c>demo</c>, a bare size, a catalog name, or a repository on the hub, in this order.</summary>
internal static class ModelChoice
{
    private static readonly string[] FileEndings = [".gguf", ".safetensors", ".bin", ".pt", ".pth", ".json"];

    public static LocatedModel Locate(string name, ParseResult parsed, CliEnvironment environment)
    {
        try
        {
            return Find(name, parsed, environment);
        }
        catch (UnknownArchitectureException failure)
        {
            throw CliException.WrongUsage(failure.Message, "--assume llama plans it as a llama-shaped model, with low confidence");
        }
    }

    private static LocatedModel Find(string name, ParseResult parsed, CliEnvironment environment)
    {
        UserCatalogs.Check(parsed.GetValue(PlanOptions.Catalog));
        var assume = parsed.GetValue(PlanOptions.Assume);
        if (File.Exists(name) || Directory.Exists(name))
            return ModelLocator.FromPath(name, assume);
        if (LocalModel.IsDemo(name))
        {
            var demo = ModelLocator.FromPath(LocalModel.Demo(environment), assume);
            return demo with { Shape = demo.Shape with { Id = DemoModel.Name } };
        }
        if (LooksLikePath(name))
            throw CliException.BadInput($"{name}: no such file or folder");
        if (BareSize.Parse(name) is not null)
            return FromBareSize(name);
        var catalog = UserCatalogs.Models(parsed.GetValue(PlanOptions.Catalog), environment);
        if (catalog.Find(name) is { } entry)
            return FromCatalog(entry, NamedPrecision.Of(name));
        if (name.Count(character => character == '/') == 1)
            return HubChoice.Locate(name, parsed, environment);
        throw CliException.WrongUsage($"unknown model '{name}'", Suggestion(catalog.Suggest(name)));
    }

    /// <param name="named">The precision that the name asks for.</param>
    private static LocatedModel FromCatalog(ModelCatalogEntry entry, string? named)
    {
        var quantization = named is null ? entry.Quantization : null;
        return new() { Shape = entry.Shape, StoredPrecision = named ?? quantization?.PrecisionName ?? entry.Precision ?? ModelLocator.PrecisionOf(entry.Shape), Quantization = quantization };
    }

    private static LocatedModel FromBareSize(string name)
    {
        try
        {
            return new() { Shape = BareSize.Create(name)!, StoredPrecision = "fp16" };
        }
        catch (ArgumentOutOfRangeException)
        {
            throw CliException.WrongUsage($"a model of {name} parameters is outside what a bare size stands for (15m to 10t)");
        }
    }

    /// <summary>Whether a name that is no file was meant as one.</summary>
    public static bool LooksLikePath(string name) =>
        name.StartsWith('.') || name.StartsWith('/') || name.StartsWith('~') || name.Contains('\\') || name.Count(character => character == '/') > 1
        || FileEndings.Any(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static string Suggestion(IReadOnlyList<string> names) =>
        names.Count == 0 ? "'plimsoll models' lists the known ones" : $"did you mean {string.Join(" or ", names)}? 'plimsoll models' lists them all";
}
